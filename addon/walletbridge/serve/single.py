"""
`serve` as one process, which does the work of a supervisor and of its worker.
"""

from datetime import UTC, datetime
from pathlib import Path

from walletbridge.gateway.shared_memory import Share
from walletbridge.journal.probe import JournalProbe
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.admin.admin import Admin, Watched
from walletbridge.serve.admin.certificate_metrics import certificate_families
from walletbridge.serve.doors import Doors
from walletbridge.serve.launch import Kind, launch
from walletbridge.serve.reload import Reload
from walletbridge.serve.sockets import bind_both
from walletbridge.settings import Settings
from walletbridge.settings.tls_files import require_valid
from walletbridge.transactions.cancel_counter import Changes


def serve(config: Path, settings: Settings) -> None:
    """Runs until a signal ends it. Raises SettingsError if an address or a certificate cannot be used."""
    require_valid(settings.tls, datetime.now(UTC))
    sockets, admin_sockets = bind_both(settings)
    share = Share(Part(), Changes())
    doors = Doors(sockets=sockets, share=share, serve=settings.serve)
    if admin_sockets:
        watched = Watched(
            parts=lambda: [share.part],
            journal=JournalProbe(settings.journal.path),
            is_stopping=lambda: doors.is_stopping,
            is_alive=doors.is_alive,
            more=lambda: certificate_families(settings),
        )
        doors.admin = Admin(admin_sockets, watched)
    launch(Kind.SERVE, config, settings, doors=doors, addons=[Reload(config, settings, lambda: doors.bridge)])
