#!/bin/sh
# Makes the example files: a memory of 2 banks of 8 rows of 4 interleaved 16-bit words.
set -e
cd "$(dirname "$0")"
bitcell="node ../../dist/cli/main.js"
memory="--geometry 2x8x64 --column-mux 4"

$bitcell map create $memory --fault-model clusters.yaml --rate 0.02 --seed 7 -o clusters.json
$bitcell map export clusters.json -o clusters.bfm
$bitcell map export clusters.json -o clusters.csv
$bitcell map export clusters.json -o clusters-stuck-at-0.csv,clusters-stuck-at-1.csv

# A dump holds stuck-at-0 faults only, a log faults of one kind.
$bitcell map create $memory --fault-model voltage.yaml --voltage 0.52 --seed 7 -o undervolted.hex
$bitcell map create $memory --rate 0.01 --seed 7 -o self-test.mbist

# A log by logical addresses, descrambled to the physical cells.
$bitcell map import self-test.mbist $memory --permutation permutation.yaml -o descrambled.json
