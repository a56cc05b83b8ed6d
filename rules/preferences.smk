# Preferences: which of two activities, what the vectors tell of it, and what steering changes (method.md, rows 6 and 7).
PREFERRED = [
    (model, story_set) for model in MODELS for story_set in steering_sets(SETTINGS.preferences.story_sets)
]
PREFERENCE_FIGURES = ["preferences", "correlates", "largest", "causes"]
ACTIVITIES = RESOURCES / "text_sets/activities.jsonl"
COMPARING = {
    **keys_of("preferences", "activities"),
    **keys_of("steering", "format"),
    "precision": SETTINGS.recording.precision,
}


rule compare_activities:
    input:
        model="results/{model}/model.json",
        activities=ACTIVITIES,
    output:
        chosen="results/{model}/preferences/choices.csv",
        activations="results/{model}/preferences/activities.safetensors",
    log:
        "results/logs/{model}/compare_activities.log",
    benchmark:
        "results/benchmarks/{model}/compare_activities.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        cfg=COMPARING,
        code=code_of("compare_activities"),
    script:
        "../scripts/compare_activities.py"


rule steer_activities:
    input:
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        controls=ancient("results/{model}/vectors/{story_set}/controls.safetensors"),
        activities=ACTIVITIES,
    output:
        chosen="results/{model}/preferences/{story_set}/choices.csv",
    log:
        "results/logs/{model}/steer_activities/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/steer_activities/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        cfg={
            **COMPARING,
            **keys_of("preferences", "steered_activities", "strength", "bands"),
            **keys_of("steering", "concepts", "layers"),
        },
        code=code_of("steer_activities"),
    script:
        "../scripts/steer_activities.py"


rule analyse_preferences:
    input:
        unsteered="results/{model}/preferences/choices.csv",
        activations="results/{model}/preferences/activities.safetensors",
        steered="results/{model}/preferences/{story_set}/choices.csv",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        controls=ancient("results/{model}/vectors/{story_set}/controls.safetensors"),
        geometry="results/{model}/geometry/{story_set}/geometry.json",
        ratings="results/ratings.csv",
    output:
        summary="results/{model}/preferences/{story_set}/summary.json",
        activities="results/{model}/preferences/{story_set}/activities.csv",
        directions="results/{model}/preferences/{story_set}/directions.csv",
        layers="results/{model}/preferences/{story_set}/layers.csv",
        changes="results/{model}/preferences/{story_set}/changes.csv",
    log:
        "results/logs/{model}/analyse_preferences/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/analyse_preferences/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg=keys_of("validation", "permutations", "bootstraps", "seed"),
        code=code_of("analyse_preferences"),
    script:
        "../scripts/analyse_preferences.py"


rule draw_preferences:
    input:
        summary="results/{model}/preferences/{story_set}/summary.json",
        tables=expand(
            "results/{model}/preferences/{story_set}/{table}.csv",
            table=["activities", "directions", "layers", "changes"],
            allow_missing=True,
        ),
    output:
        svg=expand(
            "results/{model}/figures/{story_set}/{name}.svg",
            name=PREFERENCE_FIGURES,
            allow_missing=True,
        ),
        png=expand(
            "results/{model}/figures/{story_set}/{name}.png",
            name=PREFERENCE_FIGURES,
            allow_missing=True,
        ),
    log:
        "results/logs/{model}/draw_preferences/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_preferences/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_preferences"),
    script:
        "../scripts/draw_preferences.py"
