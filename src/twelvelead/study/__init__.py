"""One declared study, run end to end and resumable.

What a name needs is imported when it is first used: a worker that only measures need not wait for what fits models.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twelvelead.study.application import Applied, apply_study, read_demographics
    from twelvelead.study.archive import Measured, measure_archive
    from twelvelead.study.comparing import Both, run_both
    from twelvelead.study.converting import Converted, convert_files
    from twelvelead.study.declaration import Study
    from twelvelead.study.examination import examine
    from twelvelead.study.externally import External, choose_use, validate_externally
    from twelvelead.study.files import predict_files
    from twelvelead.study.inspecting import Holding, Inspection, inspect_path, inspect_recording
    from twelvelead.study.judgement import Choices, Judgement, validate_predictions
    from twelvelead.study.kernels import compile_kernels
    from twelvelead.study.measuring import Tally, measure_files
    from twelvelead.study.model_comparison import compare_models
    from twelvelead.study.plotting import draw_source, plot_file
    from twelvelead.study.prediction_table import Columns, PredictionTable, read_predictions
    from twelvelead.study.pretraining import Pretrained, Wish, pretrain_archive
    from twelvelead.study.progress import Progress, silent
    from twelvelead.study.review import Beside
    from twelvelead.study.run import Refusal, Results, run_study
    from twelvelead.study.simulated import run_demo, simulate_hospitals
    from twelvelead.study.starting import start_study
    from twelvelead.study.studies import builtin_studies, declare, load_study, parse_study

_HOMES = {
    "application": ("Applied", "apply_study", "read_demographics"),
    "archive": ("Measured", "measure_archive"),
    "comparing": ("Both", "run_both"),
    "converting": ("Converted", "convert_files"),
    "declaration": ("Study",),
    "examination": ("examine",),
    "externally": ("External", "choose_use", "validate_externally"),
    "files": ("predict_files",),
    "inspecting": ("Holding", "Inspection", "inspect_path", "inspect_recording"),
    "judgement": ("Choices", "Judgement", "validate_predictions"),
    "kernels": ("compile_kernels",),
    "measuring": ("Tally", "measure_files"),
    "model_comparison": ("compare_models",),
    "plotting": ("draw_source", "plot_file"),
    "prediction_table": ("Columns", "PredictionTable", "read_predictions"),
    "pretraining": ("Pretrained", "Wish", "pretrain_archive"),
    "progress": ("Progress", "silent"),
    "review": ("Beside",),
    "run": ("Refusal", "Results", "run_study"),
    "starting": ("start_study",),
    "studies": ("builtin_studies", "declare", "load_study", "parse_study"),
    "simulated": ("run_demo", "simulate_hospitals"),
}

__all__ = [
    "Applied",
    "Beside",
    "Both",
    "Choices",
    "Columns",
    "Converted",
    "External",
    "Holding",
    "Inspection",
    "Judgement",
    "Measured",
    "PredictionTable",
    "Pretrained",
    "Progress",
    "Refusal",
    "Results",
    "Study",
    "Tally",
    "Wish",
    "apply_study",
    "builtin_studies",
    "choose_use",
    "compare_models",
    "compile_kernels",
    "convert_files",
    "declare",
    "draw_source",
    "examine",
    "inspect_path",
    "inspect_recording",
    "load_study",
    "measure_archive",
    "measure_files",
    "parse_study",
    "plot_file",
    "predict_files",
    "pretrain_archive",
    "read_demographics",
    "read_predictions",
    "run_both",
    "run_demo",
    "run_study",
    "silent",
    "simulate_hospitals",
    "start_study",
    "validate_externally",
    "validate_predictions",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
