"""Erasure: a tenant's every byte, or the rows of one data subject, with a certificate."""
