import baselines  # noqa: F401, I001  before torch: it quiets OpenMP

import pytest
import torch


@pytest.fixture(autouse=True)
def one_torch_thread():
    """Small networks gain nothing from threads, and stall on them where a core is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
