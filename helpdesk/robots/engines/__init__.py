"""Batch systems behind the one door of `helpdesk.robots.engine`; each module is the only one that speaks to its system."""
