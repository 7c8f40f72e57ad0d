import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
accesslog = "-"
# It lies in the home directory, which a service account may not have.
control_socket_disable = True
