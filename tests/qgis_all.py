"""All cases in one QGIS: qgis_all.py, run by test_qgis.sh with the system's Python."""
import qgis_rig

plugin = qgis_rig.start()
import qgis_tables  # noqa: E402,F401  the cases register themselves, and want QGIS to be there
import qgis_runs  # noqa: E402,F401
import qgis_wrong  # noqa: E402,F401
import qgis_cancel  # noqa: E402,F401
import qgis_streams  # noqa: E402,F401

qgis_rig.run_all()
plugin.unload()
qgis_rig.application.exitQgis()
