"""Texts in the manner of language models, each with the verdicts that a reader of the measurements would give."""

import pytest
from tests.interpret.handmade import case, interpretation

from twelvelead.interpret.verify import verify

S, C, U, M = "supported", "contradicted", "unverifiable", "unmeasured"
CASE, FOUND = case(), interpretation()
TEXTS = [
    ("The ECG demonstrates normal sinus rhythm with a ventricular rate of approximately 75 beats per minute.", [S, S]),
    ("This tracing shows atrial fibrillation with a rapid ventricular response at 140 bpm.", [C, C, C]),
    ("Heart rate: 75/min, regular rhythm.", [S, S]),
    ("The R-R intervals are irregularly irregular.", [C]),
    ("PR interval is 0.17 s, i.e. within normal limits.", [S, S]),
    ("A PR interval of 240 ms indicates first-degree AV block.", [C, C]),
    ("The PR interval is not prolonged.", [S]),
    ("The PR interval does not exceed 200 ms.", [S]),
    ("The PR interval exceeds 200 ms.", [C]),
    ("The QRS complexes are narrow (92 ms), ruling out bundle branch block.", [S, S, S]),
    ("The QRS duration measures 0.14 seconds, consistent with complete LBBB.", [C, C]),
    ("With a QT of 380 ms, the Bazett-corrected QTc is 425 ms.", [S, S]),
    ("QTc is markedly prolonged at 510 ms.", [C, C]),
    ("The QTc, at 409 ms by Fridericia, is normal.", [S, S]),
    ("The electrical axis is normal at +40 degrees.", [S, S]),
    ("There is left axis deviation (−50°).", [C, C]),
    ("Notable ST-segment elevation is present in leads II, III, and aVF, most prominent in III at 2.2 mm.", [S, S]),
    ("ST-segment elevation of up to 0.22 mV is seen in the inferior leads.", [S, S]),
    ("In V2 and V3 the ST segments are elevated by 3 mm.", [C, C]),
    ("Reciprocal ST depression is noted in aVL.", [S]),
    ("Leads II, III and aVF show ST elevation, with reciprocal depression in aVL.", [S, S]),
    ("There is no ST elevation in the anterior leads.", [S]),
    ("No ST elevation is seen in the inferior leads.", [C]),
    ("T waves are inverted across V1 through V3.", [S]),
    ("T-wave inversions extend from V1 to V6.", [C]),
    ("The T waves in V4 and V5 are upright.", [S]),
    ("T wave inversion is not present in V2.", [C]),
    ("Lead V6 shows an inverted T wave.", [M]),
    ("Pathological Q waves are evident in III and aVF, consistent with an old inferior infarction.", [S, S]),
    ("There are no Q waves in lead III.", [C]),
    ("Deep Q waves of 4 mm are noted in lead V4.", [C, C]),
    ("RV5 measures 14 mm and SV1 measures 9 mm, giving a Sokolow-Lyon index of 2.3 mV.", [S, S, S]),
    ("R waves in V5 and V6 measure 1.4 and 1.2 mV, respectively.", [S, S]),
    ("R waves in V5 and V6 measure 1.2 and 1.9 mV, respectively.", [C, C]),
    ("An S wave of 25 mm is recorded in V2.", [C]),
    ("R-wave progression is poor, with an R wave of 0.25 mV in V3.", [S, S]),
    ("Left ventricular hypertrophy cannot be excluded.", [U]),
    ("There is left ventricular hypertrophy.", [U]),  # the criteria are missed within the error of a measurement
    ("There is no evidence of right ventricular hypertrophy or right bundle branch block.", [S, S]),
    ("Right ventricular hypertrophy and right bundle branch block are present.", [C, C]),
    ("Possible left atrial enlargement.", [U]),
    ("Left atrial enlargement is present.", [U]),
    ("P waves are present before every QRS complex.", [S]),
    ("P waves are absent.", [C]),
    ("Frequent PVCs interrupt the rhythm.", [C]),
    ("No premature ventricular contractions are observed.", [S]),
    ("The shortest RR interval is 770 ms and the longest 830 ms.", [S, S]),
    ("RR intervals range from 770 to 830 ms.", [S]),
    ("The heart rate is 75 ms.", [C]),
    ("The PR interval is 168 s.", [C]),
    ("The T axis is 30°.", [M]),
    ("The patient reports chest pain since this morning.", []),
    ("A history of hypertension and diabetes is noted.", []),
    ("Findings may represent pericarditis.", [U]),
    ("This is a normal ECG.", [C]),
    ("Chest electrodes out of order.", [C]),
    ("QRS duration 92 ms (normal <120 ms).", [S]),
    ("The recording lasts 10 seconds at 25 mm/s and 10 mm/mV.", []),
    ("T waves are upright in V4, but inverted in V2.", [S, S]),
    ("The axis is about 40° while the PR interval is 300 ms.", [S, C]),
    ("Neither ST depression in V4 nor T-wave inversion in V5 is present.", [S, S]),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=lambda value: value[:40] if isinstance(value, str) else None)
def test_verdicts_are_those_that_a_reader_would_give(text, expected):
    claims = [claim for claim in verify(text, CASE, FOUND) if claim.kind != "consistency"]
    assert [claim.standing for claim in claims] == expected, [
        (c.said, c.standing.value, c.claim and c.claim.subject, c.claim and c.claim.leads, c.why) for c in claims
    ]
