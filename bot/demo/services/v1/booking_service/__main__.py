import os

from booking_service.server import serve

serve(int(os.environ["PORT"]))
