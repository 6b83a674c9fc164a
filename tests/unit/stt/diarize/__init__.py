"""Tests of telling speakers apart."""
