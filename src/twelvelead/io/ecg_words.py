"""The words in which devices and cardiologists state what an ECG shows."""

_WORDS = """
a aai aberrancy aberrant aberrantly aberration abnormal abnormalities abnormality abnrm abqrs absence absent absente
accelerated accelerating acinfarct activity acuity acute additional admission adult adversely af affect affected afib
aflt age ai all allowing almi also altered alternans altrd ami amplitude amplitudes an analysis and aneur aneurysm
angle angulation anlat anmi ant anterior anteriorly antero anterolateral anteroseptal antidromic apex apical
appearance appeared appears arat are area arm arrest arrhythmia arrhythmias artefact artefacts artifact artifacts
artificial arvc arvd as asd asmi assumes asystole at atrial atrially atrioventricular atrium atypical augmented
automated automatic av available avb avblock avf avl avnrt avr avrt axis background backward basal based baseline
bazett be beat beats before below beta between biatrial bifascicular bigeminal bigeminy bilateral biphasic bipolar
biventricular block blockade blocked blocks borderline both bouts bpm bradyarrhythmia bradycardia bradycardic branch
broad brugada bundle by can cannot capture capturing cardiac cardiomyopathy cc chamber chambers change changes channel
chest chronic chronicity clbbb clinical clock clockwise cm coarse common compared comparison compatible complete
complex complexes computer concordant conducted conducting conduction configuration consider consistent contact
contour controlled copd cor cornell coronary correlate correlation counter counterclockwise couplet couplets course
cpvt crbbb criteria criterion current d data dcm ddd decelerating decreased deep defect deg degree degrees delay
delayed delta demand dep depressed depression detached detected determined deviate deviation dextrocardia diagnoses
diagnosis diagnostic difficult diffuse dig digitalis digoxin dilatation disappeared discordant disease dissociation
disturbance disturbances dominant drift drug dual due duration dysfunction early ecg ecgs ectopic ectopics ectopy
effect effects ekg el electric electrical electrocardiogram electrode electrodes electrolyte electrolytic electronic
elev elevated elevation elevations embolism enlarged enlargement epicardial epsilon equal equiphasic equivocal ers es
escape estes evidence evident evolving excessive exclude extensive extensively extra extrasystole extrasystoles
extreme extremities f fail fails failure fascicle fascicular fast faster few fibrillation filtered finding findings
fine first flat flattened flattening flutter focal for force formation former framingham frequent fridericia from
frontal fulfilled function functional functioning fusion gender generalized generated greater grouped had half hand
has have hcm heart height hemi hemiblock high higher his history hocm hodges horizontal hr hvolt hyp hyperacute
hypercalcemia hyperkalemia hypermagnesemia hyperthermia hypertrophic hypertrophy hypocalcemia hypokalemia
hypomagnesemia hypothermia hz i iavb idioventricular if ii iiavb iii iiiavb ilbbb ilmi imi implanted improved in
inadequate inappropriate incomplete increased indeterminate index inf infant infarct infarction infarctions inferior
inferioris inferiorly inferoapical inferobasal inferolateral inferoposterior inferoposterolateral inferoseptal
inferred inhibited injal injas injil injin injla injury insignificant insufficient intercalary interchange
interchanged interference intermittent intermittently interpolate interpolated interpretable interpretation interval
intervals intra intraatrial intraventricular intravintricular intrinsic inversion inversions inversus inverted
involvement invt ipli iplmi ipmi irbbb irregular irregularly is isc isca iscal iscan iscas ischaemia ischemia ischemic
iscil iscin iscla isoelectric isolated isorhythmic isthmus iv ivcd ivs j joint jpc jpcs junction junctional juvenile
khz known la lad lae lafb lah lahb lao laoae large lat lateral lateralis laterally lbbb lcx lds lead leads left
leftward leg lengthening less levorotation lgl likely limb line lives lmi lngqt localisation localization long longer
loop loss low lower lown lowt lpfb lphb lpr lprt lqts lv lvh lvolt lvot lvpr lvs lyon machine mains malfunction marked
markedly may mcl meet memory metabolic mi mid middle mild mildly min minimal minor missing mitral mixed mli mlii mliii
mm mobitz moderate moderately monomorphic more morphology motion ms msec multifocal multiform multiple muscle muscular
must mv myocardial myocarditis myocardium narrow nasa nature nd ndt near negative neonatal new no nodal nodals node
nodes noise noisy non nonconducted nondiagnostic nonparoxysmal nonspecific nonsustained norm normal not notched now
nst nstemi nsvt nt obscured occasional occasionally occlusion occurred of off old on onset or origin orthodromic
osborn ostium other otherwise out over overdrive overload oversensing p pac pace paced pacemaker pacing pacs
paediatric pair paired pairs parasystole parkinson paroxysmal part partial pathologic pathological pattern patterns
pause pauses peak peaked pediatric perform performed pericardial pericarditis persistent pfo phase physiologic
physiopathological pjb pjc pjcs pjt placement pmi pmt point pointes polymorphic poor poorly positive possible possibly
post posterior posteriorly posterolateral posteroseptal potential potentials power pq pr prc precordial preexcitation
premature present previous previously primary primum prinzmetal probable probably progression prolongation prolonged
prominent pronounced proximal ps pseudo psvt pulmonale pulmonary pvc pvcs pvs pvt q qr qrs qrsd qrst qs qt qtc qtcb
qtcf quadrigeminy quality questionable qwave r rad rae range rao rapid rate rates ratio ravl raw rbbb rca rd reason
recent reciprocal recording reduced regular relative reliable repeat replaced repol repolarisation repolarization
requires resolution resolved response responses resting result retrograde returned reversal reversed review rhythm
right rightward romhilt rotated rotation rr rs rsr rule run runs rv rvh rvhs rvot rvpr rwave s sa salvo salvos sarrh
satisfied sbrad scar scooped se second secondarily secondary seen segment sehyp sense sensed sensing sept septal
sequence serial set severe severely sex shallow shifted short shortening should showing shows sick signal significant
similar single sino sinoatrial sinus sinusrhythm site situs six slight slightly slow slower slowing slurred small
sokolow some sometimes specific spikes sqts sr st stach standard std ste stemi still strain stress strongly sttc sub
subacute subendocardial subepicardial sufficient suggest suggesting suggestive suggests sum superior supp supraven
supraventricular suspect sustained sv svarr svc sve sves svt svtac swapped syndrome systole t tab tachy
tachyarrhythmia tachycardia tachycardic takotsubo tall tdp technical technically tented terminal th than the therapy
these third this three to torsades tp trace tracing tracking transient transition transmural tremor tricuspid
trifascicular trigeminal trigeminy triggered trigu triphasic triplet triplets true tu two type typical u unable
uncertain unchanged unclassified unconfirmed undefined underlying undersensing undetermined undulation unifocal
uniform uninterpretable unipolar unknown unlikely unreliable unspecific unstable unusual up upgrade upper upright
upsloping uv v vagal variability variable variant variation vdd vector vent ventr ventricle ventricles ventricular
ventricularly ventriculoatrial ventriculophasic verify vertical very vf voltage voltages voo vpc vpcs vs vsd vt vvi vx
vy vz wall wander wandering wap wave waveform waves wellens wenckebach when which white wide widened widespread width
with within without wolff worsened wpw x xqrsd y z
"""

WORDS = frozenset(_WORDS.split())
"""In lower case. Other words may be somebody's name, or a place's."""
