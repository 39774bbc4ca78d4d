"""Search: study file + manifest (or channel store) -> study folder.

Oracles in KerasTuner's interface choose (`oracles`, `hyperband`, `bayesian`), one process drives
(`search`), trials are tasks of the engine (`tasks`): `train`'s own loop trains heads on
features that were computed once (`feature_sets`, `trainer`). A study folder holds

    study.json        what was asked: study, space, settings, default candidate, manifest,
                      weights. Another study in the same folder is an error
    about.json        title, limits, the document's grid, notes: what may change between calls
    manifest.csv      with the splits used
    environment.json  versions and machine
    val_labels.npy    (m,) float32, 1 = fake: the rows all logits belong to, in order
    oracle.json       KerasTuner's view, written at the end; nothing reads it back
    clock.json        seconds spent on trials, in all calls
    trial_0000/       one folder per point, numbered from 0
      trial.json      KerasTuner's trial (`hyperparameters`, `metrics`, `score`, `status`, `message`)
                      and ours: `repeats` (a summary per seed), `config` (the TrainConfig),
                      `seconds`. Written last of all: with it the trial is over
      history.csv     seed,epoch,loss,val_loss,val_auc,val_accuracy
      logits.npz      seed_<s>: (m,) float32, the validation logits
      weights.npz     seed_<s>_<i>: the head's arrays; only for the five best
      progress.json   how far it is, only while it runs
      checkpoint-<s>.npz  only while a trial runs or may be continued (Hyperband)
    leaderboard.csv   one row per trial, best first, with its difference from the best, the
                      95 % interval and Holm's p; against_best: best, alike (not distinguishable),
                      worse, or better (cut short, so that it cannot win)
    winner/           an ordinary run folder: the best trial, trained again
    winner.json       which trial `winner/` is; a later winner gets `winner-<trial>/`
    report.html       all of it as pictures (`sections`, one file each); also on demand
    result.json       the winner: its score in the search, on validation and on test, optimism,
                      test AUC with interval, the command
    tensorboard/      where it was asked for: KerasTuner's folder per trial
"""
