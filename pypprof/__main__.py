"""python -m pypprof"""

import sys

from pypprof.cli import main

sys.exit(main())
