package abi

var PerCell = perCell
