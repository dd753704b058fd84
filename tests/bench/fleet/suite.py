"""All benches of fleets. Each is a function that is given a Suite (readings.py) and gives its tables."""

from fleet.losses import storm
from fleet.nodes import heartbeats, memory
from fleet.placing import batched, growth, million, placement
from fleet.retained import recovery, refill
from fleet.transitions import transitions

BENCHES = (placement, batched, recovery, refill, heartbeats, memory, storm, growth, transitions, million)
