"""Every operator that is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.operators.activation import (
    bounded,
    unary,
    write_l2_normalization,
    write_leaky_relu,
    write_log_softmax,
    write_prelu,
    write_rsqrt,
    write_softmax,
    write_square,
)
from edgenet.importers.tflite_file.operators.arithmetic import binary, write_matmul, write_squared_difference
from edgenet.importers.tflite_file.operators.convolution import write_conv, write_dense, write_depthwise
from edgenet.importers.tflite_file.operators.detection import POSTPROCESS, write_postprocess
from edgenet.importers.tflite_file.operators.parts import (
    write_concatenation,
    write_gather,
    write_pack,
    write_slice,
    write_split,
    write_strided_slice,
)
from edgenet.importers.tflite_file.operators.pooling import pooled, reduced
from edgenet.importers.tflite_file.operators.quantization import write_cast, write_dequantize, write_quantize
from edgenet.importers.tflite_file.operators.resize import resized
from edgenet.importers.tflite_file.operators.shape import (
    write_mirror_pad,
    write_pad,
    write_reshape,
    write_transpose,
)
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["OPERATORS"]

OPERATORS: Mapping[str, Callable[[Scope, Operator], None]] = {
    "ABS": unary("Abs"),
    "ADD": binary("Add"),
    "AVERAGE_POOL_2D": pooled("AveragePool"),
    "BATCH_MATMUL": write_matmul,
    "CAST": write_cast,
    "CEIL": unary("Ceil"),
    "CONCATENATION": write_concatenation,
    "CONV_2D": write_conv,
    f"CUSTOM {POSTPROCESS!r}": write_postprocess,
    "DEPTHWISE_CONV_2D": write_depthwise,
    "DEQUANTIZE": write_dequantize,
    "DIV": binary("Div"),
    "ELU": unary("Elu"),
    "EXP": unary("Exp"),
    "EXPAND_DIMS": write_reshape,
    "FLOOR": unary("Floor"),
    "FULLY_CONNECTED": write_dense,
    "GATHER": write_gather,
    "HARD_SWISH": unary("HardSwish"),
    "L2_NORMALIZATION": write_l2_normalization,
    "LEAKY_RELU": write_leaky_relu,
    "LOG": unary("Log"),
    "LOGISTIC": unary("Sigmoid"),
    "LOG_SOFTMAX": write_log_softmax,
    "MAXIMUM": binary("Max"),
    "MAX_POOL_2D": pooled("MaxPool"),
    "MEAN": reduced("ReduceMean"),
    "MINIMUM": binary("Min"),
    "MIRROR_PAD": write_mirror_pad,
    "MUL": binary("Mul"),
    "NEG": unary("Neg"),
    "PACK": write_pack,
    "PAD": write_pad,
    "PADV2": write_pad,
    "POW": binary("Pow"),
    "PRELU": write_prelu,
    "QUANTIZE": write_quantize,
    "REDUCE_MAX": reduced("ReduceMax"),
    "REDUCE_MIN": reduced("ReduceMin"),
    "REDUCE_PROD": reduced("ReduceProd"),
    "RELU": unary("Relu"),
    "RELU6": bounded(0.0, 6.0),
    "RELU_0_TO_1": bounded(0.0, 1.0),
    "RELU_N1_TO_1": bounded(-1.0, 1.0),
    "RESHAPE": write_reshape,
    "RESIZE_BILINEAR": resized("linear"),
    "RESIZE_NEAREST_NEIGHBOR": resized("nearest"),
    "RSQRT": write_rsqrt,
    "SLICE": write_slice,
    "SOFTMAX": write_softmax,
    "SPLIT": write_split,
    "SPLIT_V": write_split,
    "SQRT": unary("Sqrt"),
    "SQUARE": write_square,
    "SQUARED_DIFFERENCE": write_squared_difference,
    "SQUEEZE": write_reshape,
    "STRIDED_SLICE": write_strided_slice,
    "SUB": binary("Sub"),
    "SUM": reduced("ReduceSum"),
    "TANH": unary("Tanh"),
    "TRANSPOSE": write_transpose,
}
