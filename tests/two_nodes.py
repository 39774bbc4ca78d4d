"""A Ray cluster of two nodes with one core each, of which the second can be lost."""

from ray.cluster_utils import Cluster

from kerasfaces.core.engine import Engine


class TwoNodes:
    """The cluster, which notices a lost node within a second.

    Attributes:
        engine: Spreads work over the nodes.
    """

    def __init__(self):
        quick = dict.fromkeys(
            ("health_check_period_ms", "health_check_timeout_ms"), 300
        ) | {"health_check_initial_delay_ms": 0, "health_check_failure_threshold": 2}
        node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
        head = {**node, "include_dashboard": False, "_system_config": quick}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._second = self._cluster.add_node(**node)
        self.engine = Engine(name="ray", address=self._cluster.address)

    def lose_one(self):
        """Kill the second node."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def shutdown(self):
        """End what is left."""
        self._cluster.shutdown()
