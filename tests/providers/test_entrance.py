"""The entrance as a WSGI program: what it does with requests that no provider would send."""

from io import BytesIO

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.contract.scene import verbs
from tests.contract.twilio.telephone import Telephone
