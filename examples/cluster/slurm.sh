#!/usr/bin/env bash
# Plays one study on Slurm: each task of the array plays one model on one machine.
#
#     sbatch --array=1-19 examples/cluster/slurm.sh STUDY
#
# STUDY is a folder that all machines share. It contains models.txt (a model per line) and study.yaml
# (a plan without models). A task that runs out of time is queued again and plays what is missing. The
# same command continues a cancelled task. Only the episodes in flight are played twice.
#SBATCH --job-name=proactive-agent
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@180
set -euo pipefail

study=${1:?usage: sbatch --array=1-N slurm.sh STUDY}
model=$(sed -n "${SLURM_ARRAY_TASK_ID}p" "$study/models.txt")
[ -n "$model" ] || { echo "models.txt has no line $SLURM_ARRAY_TASK_ID" >&2; exit 2; }

# The plan of this task: its model, and the settings that all models share.
mkdir -p "$study/plans"
plan=$study/plans/$SLURM_ARRAY_TASK_ID.yaml
{ echo "models:"; echo "- $model"; cat "$study/study.yaml"; } > "$plan"

python -m proactive_agent run --plan "$plan" --out "$study/results" &
run=$!

# Slurm sends USR1 three minutes before the time is over. The program then ends as after Ctrl-C.
ended_early() {
    kill -TERM "$run"
    wait "$run" || true
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    exit 0
}
trap ended_early USR1
trap 'kill -TERM "$run"; wait "$run"; exit 143' TERM

wait "$run"
