from tenantry.rehearsal import rehearse_tables


def test_a_table_comes_through_a_rehearsal():
    left = rehearse_tables()
    assert [*left] == ["at", "number", "share", "name", "hour"]
    assert left["number"].tolist() == sorted([*range(30)] * 2)
    assert left["hour"].iloc[0] == 1  # midnight in UTC
