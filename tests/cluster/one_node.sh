#!/bin/sh
# Two runs of the smoke profile on a real SLURM of one node that is made for it and taken down:
#   sudo apt-get install slurm-wlm munge && sh tests/cluster/one_node.sh
# Needs root, since daemons are started, and a machine without a SLURM of its own: /etc/slurm leads to
# the temporary configuration while this runs. The node claims 16 cores, 128 GB and two GPUs that it
# need not have, so that the settings of profiles/paper are used as they are. What is proven: each run
# is submitted as a job with one GPU, SLURM starts it, its record comes back, a run without data is
# skipped, and one that fails is told while the rest goes on. That a GPU computes is not.
set -eu

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
WORK=$(mktemp -d)
export PATH="$ROOT/.venv/bin:$PATH"
for name in slurm gres cgroup; do
    [ ! -e /etc/slurm/$name.conf ] || { echo "error: /etc/slurm/$name.conf is there already" >&2; exit 1; }
done
NODE=$(hostname -s)

stop() {
    status=$?
    for daemon in slurmd slurmctld munged; do
        [ -f "$WORK/$daemon.pid" ] && kill "$(cat "$WORK/$daemon.pid")" 2>/dev/null || true
    done
    rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf /etc/slurm/cgroup.conf
    [ $status -eq 0 ] || tail -n 40 "$WORK"/*.log || true
    rm -rf "$WORK"
    exit $status
}
trap stop EXIT

chmod 711 "$WORK"
mkdir "$WORK/munge" "$WORK/state" "$WORK/spool"
chmod 711 "$WORK/munge"
dd if=/dev/urandom of="$WORK/munge.key" bs=128 count=1 2>/dev/null
chmod 400 "$WORK/munge.key"
cat > "$WORK/slurm.conf" <<END
ClusterName=one
SlurmctldHost=$NODE
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$WORK/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$WORK/slurmctld.pid
SlurmdPidFile=$WORK/slurmd.pid
SlurmctldLogFile=$WORK/slurmctld.log
SlurmdLogFile=$WORK/slurmd.log
StateSaveLocation=$WORK/state
SlurmdSpoolDir=$WORK/spool
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=16 RealMemory=128000 Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
printf 'Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n' > "$WORK/gres.conf"
if [ -d /sys/fs/cgroup/freezer ]; then
    echo "CgroupPlugin=cgroup/v1" > "$WORK/cgroup.conf"
else
    printf 'CgroupPlugin=cgroup/v2\nIgnoreSystemd=yes\n' > "$WORK/cgroup.conf"
fi
mkdir -p /etc/slurm
ln -s "$WORK/slurm.conf" "$WORK/gres.conf" "$WORK/cgroup.conf" /etc/slurm/

munged --force --key-file="$WORK/munge.key" --socket="$WORK/munge/socket" \
    --pid-file="$WORK/munged.pid" --log-file="$WORK/munged.log" --seed-file="$WORK/munge.seed"
slurmctld
slurmd -N "$NODE"
for _ in $(seq 30); do
    [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
    sleep 1
done
sinfo
[ "$(sinfo --noheader --format=%T)" = idle ]

# A copy, so that no run is up to date and no result of the working tree is touched.
mkdir "$WORK/tree"
(cd "$ROOT" && git ls-files -z | tar -c --null -T -) | tar -x -C "$WORK/tree"
cd "$WORK/tree"
export PYTHONPATH="$WORK/tree" IQA_CACHE="$WORK/cache"
cat > profiles/cluster.yaml <<END
title: For tests/cluster
folder: build/runs/cluster
runs:
  - experiment: demo_data
    parameters: {dataset: demo_mini}
  - experiment: activations
    matrix: {backbone: [efficientnet_lite0/middle]}
    parameters: &small
      {dataset: demo_mini, weights: none, input_size: 64, epochs: 1, resamples: 100, heads: [relu, gated]}
  - {experiment: activations, name: absent, parameters: {dataset: koniq10k}}
  - {experiment: activations, name: failing, parameters: {<<: *small, folds: 2}}
END
status=0
snakemake --profile profiles/paper --config profile=cluster \
    --slurm-status-command squeue --slurm-init-seconds-before-status-checks 3 --retries 0 \
    > "$WORK/snakemake.log" 2>&1 || status=$?

check() { "$@" || { echo "failed: $*" >&2; exit 1; }; }
check [ $status -eq 1 ]
check grep -q "absent: skipped: dataset .koniq10k." "$WORK/snakemake.log"
check grep -q "experiment activations failed with UserError: study: folds" build/runs/cluster/failing.log
check [ -f build/runs/cluster/failing.failed.ipynb ]
check [ ! -e build/runs/cluster/failing/record.json ]
for name in demo_data activations-efficientnet_lite0.middle; do
    check [ -f build/stamps/cluster/runs/$name ]
    check python -c "
from iqa.experiments import read_record
print(read_record('build/runs/cluster/$name')[0].device)"
done
jobs=$(grep -c "Allocate JobId" "$WORK/slurmctld.log")
# Two of features, four of runs.
check [ "$jobs" -eq 6 ]
echo "$jobs jobs went through SLURM: 2 runs recorded, 1 skipped, 1 failed and told"
