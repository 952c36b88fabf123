"""Each theory's claims as executable checks: prediction, measurement, pull, verdict."""
