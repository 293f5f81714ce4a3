"""What gunicorn loads, once in each worker."""

from gateway.app import create_app
from gateway.settings import load

application = create_app(load())
