from tests.blank import blank, blank_database, blank_folder, blank_settings

__all__ = ["blank", "blank_database", "blank_folder", "blank_settings"]
