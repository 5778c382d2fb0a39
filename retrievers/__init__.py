"""Which pieces, in what order, and why? Legs find candidates, fusion joins them, the catalog checks them."""

if __name__ != "penstock.retrievers":
    raise ImportError("this folder is a part of the package penstock: import penstock.retrievers instead")

from penstock.retrievers.fusion import reciprocal_rank, weighted
from penstock.retrievers.hybrid import HybridRetriever
from penstock.retrievers.legs import JointLegs, KeywordLeg, Searcher, SearchLeg, SeparateLegs, VectorLeg
from penstock.retrievers.neighbours import NeighbourRetriever
from penstock.retrievers.readers import ReaderRetriever, check_reader
from penstock.retrievers.weighing import Weighed, weigh

__all__ = [
    "HybridRetriever",
    "JointLegs",
    "KeywordLeg",
    "NeighbourRetriever",
    "ReaderRetriever",
    "SearchLeg",
    "Searcher",
    "SeparateLegs",
    "VectorLeg",
    "Weighed",
    "check_reader",
    "reciprocal_rank",
    "weigh",
    "weighted",
]
