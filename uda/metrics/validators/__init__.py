"""Label-free validators: each says by its argument names what it may see, and none can name a target label.

Larger is better for all, and every score is finite; see `uda.metrics.validators.registry` for what is seen.
"""

# importing a file registers its validators, in the order in which they are logged
# isort: off
from uda.metrics.validators import predictions as predictions
from uda.metrics.validators import neighbourhoods as neighbourhoods
from uda.metrics.validators import alignment as alignment
from uda.metrics.validators import weighting as weighting
from uda.metrics.validators import reverse as reverse
from uda.metrics.validators import mixing as mixing
from uda.metrics.validators import consistency as consistency
from uda.metrics.validators.registry import VALIDATORS as VALIDATORS
from uda.metrics.validators.registry import VISIBLE as VISIBLE
from uda.metrics.validators.registry import find_validator as find_validator
from uda.metrics.validators.registry import validate as validate
