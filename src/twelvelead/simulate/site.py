"""What makes one simulated hospital differ from another: its patients, its ECG machine, its laboratory."""

from dataclasses import dataclass

from twelvelead.terms import CHEST_LEADS, LEADS


@dataclass(frozen=True)
class Site:
    """One simulated hospital's case mix and equipment.

    Parameters
    ----------
    code : str
        One word that every identifier of the site carries, as in `sim-a-p000123`.
    name : str
        What people call it; says that it is simulated.
    fs : float
        Sampling frequency of its ECG machine in Hz.
    leads : tuple of str
        Order in which the machine stores the leads.
    adc_step_mv : float
        Amplitude of one step of the analogue-to-digital converter in mV.
    band_hz : (float, float)
        −3 dB corners of the machine's zero-phase high-pass and low-pass filter in Hz.
    mains_hz : float
        Mains frequency in Hz.
    wander_mv, mains_mv, muscle_mv : float
        Standard deviation of baseline wander and of muscle noise, and amplitude of mains hum, in an average recording,
        in mV.
    age_mean, age_sd : float
        Of the untruncated normal distribution of age, in years.
    female_share : float
        Share of women among the patients.
    condition_shifts : tuple of (str, float)
        Log-odds added to the prevalence of a latent condition.
    risk_shifts : tuple of (str, float)
        Log-odds added to the risk of an outcome: what the site has more or less of for reasons no ECG shows.
    haemoglobin_unit : str
        `g/dL` or `g/L`: laboratories differ, and their rows carry their own reference limits.

    Examples
    --------
    >>> SITE_A.fs, SITE_B.fs
    (500.0, 250.0)
    >>> dict(SITE_B.condition_shifts)["low_voltage"]
    0.3
    """

    code: str
    name: str
    fs: float
    leads: tuple[str, ...]
    adc_step_mv: float
    band_hz: tuple[float, float]
    mains_hz: float
    wander_mv: float
    mains_mv: float
    muscle_mv: float
    age_mean: float
    age_sd: float
    female_share: float
    condition_shifts: tuple[tuple[str, float], ...] = ()
    risk_shifts: tuple[tuple[str, float], ...] = ()
    haemoglobin_unit: str = "g/dL"


SITE_A = Site(
    code="a",
    name="Simulated hospital A",
    fs=500.0,
    leads=LEADS,
    adc_step_mv=0.001,
    band_hz=(0.05, 150.0),
    mains_hz=50.0,
    wander_mv=0.05,
    mains_mv=0.004,
    muscle_mv=0.008,
    age_mean=61.0,
    age_sd=17.0,
    female_share=0.48,
)
"""A general hospital with a current ECG machine."""

SITE_B = Site(
    code="b",
    name="Simulated hospital B",
    fs=250.0,
    # Chest leads as usual, but aVF before aVL: who reads leads by position instead of by name gets them wrong.
    leads=("I", "II", "III", "aVR", "aVF", "aVL", *CHEST_LEADS),
    adc_step_mv=0.005,
    band_hz=(0.05, 100.0),
    mains_hz=60.0,
    wander_mv=0.07,
    mains_mv=0.006,
    muscle_mv=0.011,
    age_mean=67.0,
    age_sd=15.0,
    female_share=0.54,
    condition_shifts=(
        ("atrial_fibrillation", 0.4),
        ("ventricular_hypertrophy", 0.3),
        ("low_voltage", 0.3),
        ("potassium_excess", -0.3),
    ),
    risk_shifts=(
        ("cardiomegaly", -0.3),
        ("rib_fracture", -0.4),
        ("heart_failure", 0.2),
        ("anaemia", 0.3),
    ),
    haemoglobin_unit="g/L",
)
"""An older, sicker case mix, an older machine: fewer samples, coarser steps, more noise, another lead order."""

SITES = (SITE_A, SITE_B)
