"""The configurations of modules that module_suite.py records, besides those of PyTorch's own tests."""

# Inputs: sizes, and what numbers they hold (see module_suite.values).
F = lambda *s: [list(s), "float"]
I = lambda k, *s: [list(s), "int:%d" % k]
P = lambda *s: [list(s), "prob"]
Q = lambda *s: [list(s), "pos"]
S = lambda *s: [list(s), "sign"]
L = lambda *s: [list(s), "lprob"]
EVEN = lambda plane, *s: [list(s), "even:%d" % plane]

CASES = []
def case(name, args=(), kw=None, inputs=(), calls=1):
    CASES.append({"m": name, "a": list(args), "k": kw or {}, "i": list(inputs), "calls": calls})

# --- linear
for shape in [(3,), (2, 3), (2, 2, 3), (1, 2, 2, 3)]:
    case("Linear", [3, 2], {}, [F(*shape)])
case("Linear", [4, 3], {"bias": False}, [F(2, 4)])
case("Linear", [4, 20], {}, [F(2, 4)])
case("Bilinear", [2, 3, 4], {}, [F(2, 2), F(2, 3)])
case("Bilinear", [2, 3, 1], {"bias": False}, [F(2, 2, 2), F(2, 2, 3)])
case("Identity", [], {}, [F(2, 3)])
# --- convolution
for kw in [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "bias": False}, {"padding": "same", "dilation": 2}, {"padding": "valid"},
           {"padding": 2, "padding_mode": "reflect"}, {"padding": 1, "padding_mode": "circular"}, {"padding": 1, "padding_mode": "replicate"}]:
    case("Conv1d", [2, 3, 3], kw, [F(2, 2, 7)])
case("Conv1d", [4, 4, 2], {"groups": 2}, [F(4, 6)])
for kw in [{}, {"stride": 2, "padding": 1}, {"padding": [2, 1], "dilation": [1, 2]}, {"padding": "same"}, {"bias": False, "stride": [1, 2]},
           {"padding": 1, "padding_mode": "reflect"}, {"padding": [1, 2], "padding_mode": "circular"}]:
    case("Conv2d", [2, 3, 3], kw, [F(1, 2, 5, 6)])
case("Conv2d", [4, 6, [2, 3]], {"groups": 2}, [F(4, 4, 5)])
case("ConvTranspose1d", [2, 3, 3], {"stride": 2, "padding": 1, "output_padding": 1}, [F(2, 2, 4)])
case("ConvTranspose1d", [2, 4, 2], {"groups": 2, "bias": False}, [F(2, 4)])
case("ConvTranspose2d", [2, 3, 3], {}, [F(1, 2, 3, 4)])
case("ConvTranspose2d", [4, 2, [2, 3]], {"stride": [2, 1], "padding": [0, 1], "groups": 2, "dilation": 2}, [F(1, 4, 3, 3)])
case("Conv3d", [2, 3, 2], {"padding": "same"}, [F(1, 2, 3, 4, 3)])
case("Conv3d", [4, 2, [1, 2, 3]], {"groups": 2, "stride": [1, 2, 1], "padding": [0, 1, 2], "padding_mode": "circular"}, [F(1, 4, 3, 4, 3)])
case("ConvTranspose3d", [2, 4, 2], {"stride": 2, "output_padding": [1, 0, 1], "groups": 2}, [F(1, 2, 2, 3, 2)])
# --- pooling
for n, shape in [(1, (2, 3, 9)), (2, (1, 2, 7, 8))]:
    case("MaxPool%dd" % n, [2], {}, [F(*shape)])
    case("MaxPool%dd" % n, [3], {"stride": 2, "padding": 1, "dilation": 1, "ceil_mode": True}, [F(*shape)])
    case("MaxPool%dd" % n, [2], {"dilation": 2, "return_indices": True}, [F(*shape)])
    case("AvgPool%dd" % n, [2], {}, [F(*shape)])
    case("AvgPool%dd" % n, [3], {"stride": 2, "padding": 1, "count_include_pad": False, "ceil_mode": True}, [F(*shape)])
    case("LPPool%dd" % n, [2, 3], {"stride": 2}, [Q(*shape)])
    case("AdaptiveAvgPool%dd" % n, [4], {}, [F(*shape)])
    case("AdaptiveMaxPool%dd" % n, [4], {}, [F(*shape)])
    case("AdaptiveMaxPool%dd" % n, [3], {"return_indices": True}, [F(*shape)])
case("MaxPool2d", [[3, 2]], {"stride": [2, 1]}, [F(2, 6, 7)])
case("AvgPool2d", [[3, 2]], {"divisor_override": 5}, [F(2, 6, 7)])
case("AdaptiveAvgPool2d", [[1, 1]], {}, [F(1, 2, 3, 3)])
case("AdaptiveAvgPool2d", [[None, 2]], {}, [F(1, 2, 3, 5)])
for name, shape in [("MaxPool3d", (1, 2, 4, 5, 4)), ("AvgPool3d", (2, 4, 4, 5))]:
    case(name, [2], {}, [F(*shape)])
    case(name, [[2, 3, 2]], {"stride": [1, 2, 2], "padding": 1}, [F(*shape)])
for name in ["AdaptiveAvgPool3d", "AdaptiveMaxPool3d"]:
    case(name, [[2, None, 3]], {}, [F(1, 2, 3, 2, 4)])
case("FractionalMaxPool2d", [2], {"output_size": 3}, [F(1, 2, 6, 7)])
case("FractionalMaxPool2d", [[2, 3]], {"output_ratio": 0.5, "return_indices": True}, [F(2, 6, 7)])
case("FractionalMaxPool3d", [2], {"output_ratio": [0.5, 0.6, 0.5]}, [F(1, 2, 4, 5, 4)])
# --- normalisation
for name, c, shape in [("BatchNorm1d", 3, (4, 3)), ("BatchNorm1d", 3, (2, 3, 5)), ("BatchNorm2d", 2, (2, 2, 3, 3)), ("BatchNorm3d", 2, (2, 2, 2, 2, 2))]:
    case(name, [c], {}, [F(*shape)])
    case(name, [c], {}, [F(*shape)])
case("BatchNorm1d", [3], {"momentum": None}, [F(4, 3)], calls=3)
case("BatchNorm1d", [3], {"momentum": 0.3, "eps": 0.001}, [F(4, 3)], calls=2)
case("BatchNorm2d", [2], {"affine": False}, [F(2, 2, 3, 3)])
case("BatchNorm2d", [2], {"track_running_stats": False}, [F(2, 2, 3, 3)])
case("LayerNorm", [4], {}, [F(2, 3, 4)])
case("LayerNorm", [[3, 4]], {"eps": 0.01}, [F(2, 3, 4)])
case("LayerNorm", [4], {"elementwise_affine": False}, [F(2, 4)])
case("GroupNorm", [2, 4], {}, [F(2, 4, 3)])
case("GroupNorm", [1, 3], {"affine": False}, [F(2, 3, 2, 2)])
case("InstanceNorm1d", [3], {}, [F(2, 3, 5)])
case("InstanceNorm1d", [3], {"affine": True}, [F(3, 5)])
case("InstanceNorm2d", [2], {"affine": True, "track_running_stats": True}, [F(2, 2, 3, 3)], calls=2)
case("InstanceNorm2d", [2], {"track_running_stats": True}, [F(2, 2, 3, 3)])
case("LocalResponseNorm", [2], {}, [F(2, 4, 3)])
case("LocalResponseNorm", [3], {"alpha": 0.5, "beta": 0.5, "k": 2.0}, [F(1, 5, 2, 3)])
case("CrossMapLRN2d", [5], {"alpha": 5e-3, "beta": 1e-3, "k": 2}, [F(2, 3, 3, 2)])
# --- dropout
for name, shape in [("Dropout", (3, 5)), ("Dropout1d", (3, 4, 2)), ("Dropout2d", (2, 4, 2, 2)), ("Dropout3d", (2, 3, 2, 2, 2)), ("AlphaDropout", (3, 5)), ("FeatureAlphaDropout", (3, 4, 2))]:
    case(name, [], {}, [F(*shape)])
    case(name, [0.25], {}, [F(*shape)])
    case(name, [], {"p": 0.25, "inplace": False}, [F(*shape)])
case("Dropout", [0.5], {}, [F(20, 20)])
# --- embedding
case("Embedding", [5, 3], {}, [I(5, 2, 4)])
case("Embedding", [6, 4], {"padding_idx": 0}, [I(6, 3)])
case("Embedding", [6, 4], {"padding_idx": -1, "scale_grad_by_freq": True}, [I(6, 8)])
case("Embedding", [6, 4], {"max_norm": 1.0}, [I(6, 3)])
case("EmbeddingBag", [6, 4], {}, [I(6, 2, 3)])
case("EmbeddingBag", [6, 4], {"mode": "max", "padding_idx": -2}, [I(6, 5, 4)])
case("EmbeddingBag", [6, 4], {"mode": "sum", "max_norm": 1.0, "norm_type": 1.0, "padding_idx": 1}, [I(6, 3, 4)])
case("EmbeddingBag", [6, 4, None, 2.0, True, "sum"], {"include_last_offset": False}, [I(3, 1, 4)])
case("EmbeddingBag", [6, 4], {}, [I(6, 2, 3)])
case("EmbeddingBag", [6, 4], {"mode": "max", "padding_idx": -2}, [I(6, 5, 4)])
case("EmbeddingBag", [6, 4], {"mode": "sum", "max_norm": 1.0, "norm_type": 1.0, "padding_idx": 1}, [I(6, 3, 4)])
case("EmbeddingBag", [6, 4, None, 2.0, True, "sum"], {"include_last_offset": False}, [I(3, 1, 4)])
# --- attention
case("MultiheadAttention", [4, 2], {}, [F(3, 2, 4), F(5, 2, 4), F(5, 2, 4)])
case("MultiheadAttention", [4, 2], {"batch_first": True, "bias": False, "add_zero_attn": True}, [F(2, 3, 4), F(2, 5, 4), F(2, 5, 4)])
case("MultiheadAttention", [4, 1], {"kdim": 3, "vdim": 2, "add_bias_kv": True, "dropout": 0.25}, [F(3, 2, 4), F(5, 2, 3), F(5, 2, 2)])
case("MultiheadAttention", [4, 4], {}, [F(3, 4), F(3, 4), F(3, 4)])
case("MultiheadAttention", [], {"embed_dim": 4, "num_heads": 3}, [])
case("Transformer", [4, 2, 1, 1, 8], {"dropout": 0.0}, [F(3, 2, 4), F(2, 2, 4)])
case("Transformer", [4, 2, 2, 1, 8], {"dropout": 0.25, "batch_first": True, "norm_first": True, "activation": "gelu"}, [F(2, 3, 4), F(2, 2, 4)])
# --- activations
for name in "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish ReLU ReLU6 RReLU SELU SiLU Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink PReLU".split():
    case(name, [], {}, [F(3, 5)])
for name, args, kw in [("CELU", [2.0], {}), ("ELU", [], {"alpha": 0.5}), ("GELU", [], {"approximate": "tanh"}), ("Hardshrink", [0.3], {}), ("Hardtanh", [-0.5, 0.75], {}),
                       ("LeakyReLU", [0.2], {}), ("RReLU", [0.1, 0.2], {}), ("Softplus", [2], {}), ("Softplus", [], {"beta": 3, "threshold": 1}), ("Softshrink", [0.2], {}), ("Threshold", [0.1, 20], {}),
                       ("PReLU", [], {"num_parameters": 5, "init": 0.1})]:
    case(name, args, kw, [F(3, 5)])
case("RReLU", [], {}, [F(3, 5)])
case("GLU", [], {}, [F(3, 6)])
case("GLU", [0], {}, [F(4, 3)])
for name in ["Softmax", "LogSoftmax", "Softmin"]:
    case(name, [1], {}, [F(3, 4)])
    case(name, [], {"dim": 0}, [F(3, 4)])
    case(name, [], {}, [F(3, 4)])
case("Softmax2d", [], {}, [F(1, 3, 2, 2)])
# --- shapes
case("Flatten", [], {}, [F(2, 3, 4)])
case("Flatten", [0, 1], {}, [F(2, 3, 4)])
case("Unflatten", [1, [2, 3]], {}, [F(2, 6)])
case("PixelShuffle", [2], {}, [F(1, 4, 2, 3)])
case("PixelUnshuffle", [2], {}, [F(1, 1, 4, 6)])
case("Upsample", [], {"scale_factor": 2}, [F(1, 2, 3)])
case("Upsample", [], {"scale_factor": 2, "mode": "bilinear"}, [F(1, 2, 3, 4)])
case("Upsample", [[5, 7]], {"mode": "bilinear", "align_corners": True}, [F(1, 2, 3, 4)])
case("Upsample", [], {"size": [5, 7], "mode": "bicubic"}, [F(1, 1, 3, 4)])
case("Upsample", [], {"scale_factor": 1.5, "mode": "linear"}, [F(1, 2, 5)])
case("UpsamplingNearest2d", [], {"scale_factor": 2}, [F(1, 1, 2, 3)])
case("UpsamplingBilinear2d", [], {"size": [3, 5]}, [F(1, 1, 2, 3)])
case("MaxUnpool1d", [2], {}, [F(2, 3), EVEN(3, 2, 3)])
case("MaxUnpool1d", [3], {"stride": 2, "padding": 1}, [F(1, 2, 4), EVEN(4, 1, 2, 4)])
case("MaxUnpool2d", [2], {}, [F(1, 2, 2, 3), EVEN(6, 1, 2, 2, 3)])
case("MaxUnpool2d", [[2, 3]], {"stride": [2, 2]}, [F(2, 2, 3), EVEN(6, 2, 2, 3)])
case("MaxUnpool3d", [2], {}, [F(1, 2, 2, 2, 2), EVEN(8, 1, 2, 2, 2, 2)])
case("TripletMarginWithDistanceLoss", [], {}, [F(3, 4), F(3, 4), F(3, 4)])
case("TripletMarginWithDistanceLoss", [], {"distance_function": {"$fn": "manhattan"}, "margin": 0.5, "swap": True, "reduction": "sum"}, [F(3, 4), F(3, 4), F(3, 4)])
case("Upsample", [], {"size": 5, "mode": "nearest-exact"}, [F(1, 2, 3)])
case("Upsample", [], {"scale_factor": [2, 1.5, 1], "mode": "trilinear", "align_corners": True}, [F(1, 1, 2, 3, 2)])
case("ChannelShuffle", [2], {}, [I(997, 1, 4, 2, 2)])
case("ConstantPad1d", [2, 3.5], {}, [F(1, 2, 4)])
case("ConstantPad1d", [[1, 2], 0.5], {}, [F(1, 2, 4)])
case("ConstantPad2d", [[1, 0, 2, 1], -1.5], {}, [F(1, 1, 3, 4)])
case("ConstantPad3d", [1, 2.5], {}, [F(1, 1, 2, 2, 2)])
case("ZeroPad2d", [[1, 2, 0, 1]], {}, [F(1, 1, 3, 4)])
case("ReflectionPad1d", [2], {}, [F(1, 2, 4)])
case("ReflectionPad2d", [[1, 2, 1, 0]], {}, [F(1, 1, 3, 4)])
case("ReplicationPad1d", [[3, 1]], {}, [F(1, 2, 4)])
case("ReplicationPad2d", [1], {}, [F(1, 1, 3, 4)])
case("ReplicationPad3d", [1], {}, [F(1, 1, 2, 3, 2)])
case("Fold", [[4, 5], 2], {}, [F(1, 8, 12)])
case("Unfold", [[2, 3]], {"padding": 1, "stride": 2}, [F(1, 2, 4, 5)])
# --- distances
case("CosineSimilarity", [], {}, [F(3, 4), F(3, 4)])
case("CosineSimilarity", [], {"dim": 0, "eps": 1e-6}, [F(3, 4), F(3, 4)])
case("PairwiseDistance", [], {}, [F(3, 4), F(3, 4)])
case("PairwiseDistance", [1.0], {"keepdim": True}, [F(3, 4), F(3, 4)])
# --- recurrent
for name in ["RNN", "LSTM", "GRU"]:
    state = (lambda *s: [[F(*s), F(*s)]]) if name == "LSTM" else (lambda *s: [F(*s)])
    case(name, [3, 2], {}, [F(4, 2, 3)])
    case(name, [3, 2], {}, [F(4, 2, 3)] + state(1, 2, 2))
    case(name, [3, 2], {}, [F(4, 3)] + state(1, 2))
    case(name, [3, 2, 2], {"bidirectional": True}, [F(3, 2, 3)] + state(4, 2, 2))
    case(name, [3, 2], {"num_layers": 2, "batch_first": True, "bias": False}, [F(2, 4, 3)])
    case(name, [3, 4], {"num_layers": 2, "dropout": 0.5}, [F(3, 2, 3)])
    case(name, [3, 4], {"num_layers": 2, "dropout": 0.5}, [F(3, 2, 3)])
    case(name + "Cell", [3, 2], {}, [F(4, 3)])
    case(name + "Cell", [3, 2], {"bias": False}, [F(4, 3)] + state(4, 2))
    case(name + "Cell", [3, 2], {}, [F(3)] + state(2))
case("RNN", [3, 2], {"nonlinearity": "relu"}, [F(4, 2, 3)])
case("RNNCell", [3, 2], {"nonlinearity": "relu"}, [F(4, 3)])
case("LSTM", [3, 4], {"proj_size": 2, "num_layers": 2, "bidirectional": True}, [F(3, 2, 3)])
case("LSTM", [3, 4], {"proj_size": 2}, [F(3, 2, 3), [F(1, 2, 2), F(1, 2, 4)]])
case("AdaptiveLogSoftmaxWithLoss", [16, 10, [2, 6]], {}, [F(4, 16), I(10, 4)])
case("AdaptiveLogSoftmaxWithLoss", [8, 5, [1, 3]], {"div_value": 2.0, "head_bias": True}, [F(8), I(5)])
for name, args, kw in [("AdaptiveLogSoftmaxWithLoss", [8, 5, [3, 1]], {}), ("Conv3d", [3, 4, 2], {"groups": 2}), ("Conv1d", [2, 2, 3], {"padding": "same", "stride": 2}),
                       ("ConvTranspose2d", [2, 2, 3], {"padding_mode": "reflect"}), ("ConvTranspose3d", [3, 2, 3], {"groups": 2}), ("Conv2d", [2, 2, 3], {"groups": 0}),
                       ("FractionalMaxPool2d", [2], {}), ("FractionalMaxPool2d", [2], {"output_size": 3, "output_ratio": 0.5}), ("FractionalMaxPool3d", [2], {"output_ratio": 1.5}),
                       ("FractionalMaxPool2d", [2], {"output_ratio": [0.5, 2.0]}), ("Dropout2d", [1.5], {}), ("AlphaDropout", [-0.5], {}), ("GroupNorm", [2, 3], {}),
                       ("Embedding", [3, 2], {"padding_idx": -4}), ("RNN", [2, 3], {"nonlinearity": "gelu"}), ("LSTM", [2, 3], {"proj_size": 3}), ("GRU", [2, 3], {"dropout": 1.5}),
                       ("Hardtanh", [1, -1], {}), ("Unflatten", [1.5, [2, 3]], {}), ("Unflatten", [1, [2, 1.5]], {}), ("Unflatten", [1, 3], {}),
                       ("MultiMarginLoss", [3], {}), ("MultiMarginLoss", [], {"weight": {"$tensor": [[1.0, 2.0]]}})]:
    case(name, args, kw, [])
# --- losses
case("NLLLoss2d", [], {}, [L(2, 4, 3), I(4, 2, 3)])
for name in ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"]:
    for kw in [{}, {"reduction": "sum"}, {"reduction": "none"}]:
        case(name, [], kw, [F(3, 4), F(3, 4)])
case("SmoothL1Loss", [], {"beta": 0.5}, [F(3, 4), F(3, 4)])
case("HuberLoss", [], {"delta": 0.5}, [F(3, 4), F(3, 4)])
case("CrossEntropyLoss", [], {}, [F(3, 5), I(5, 3)])
case("CrossEntropyLoss", [], {}, [F(5), I(5)])
case("CrossEntropyLoss", [{"$tensor": [0.5, 1.0, 2.0, 0.1, 1.5]}], {"label_smoothing": 0.1, "ignore_index": 1}, [F(6, 5), I(5, 6)])
case("CrossEntropyLoss", [], {"reduction": "sum"}, [F(2, 4, 3), I(4, 2, 3)])
case("CrossEntropyLoss", [], {"label_smoothing": 0.2, "reduction": "none"}, [F(3, 5), P(3, 5)])
case("NLLLoss", [], {}, [L(3, 5), I(5, 3)])
case("NLLLoss", [{"$tensor": [0.5, 1.0, 2.0, 0.1, 1.5]}], {"ignore_index": 2}, [L(6, 5), I(5, 6)])
case("NLLLoss", [], {"reduction": "none"}, [L(2, 4, 3), I(4, 2, 3)])
case("BCELoss", [], {}, [P(3, 4), P(3, 4)])
case("BCELoss", [], {"weight": {"$tensor": [0.5, 1.0, 2.0, 0.1]}, "reduction": "sum"}, [P(3, 4), P(3, 4)])
case("BCEWithLogitsLoss", [], {}, [F(3, 4), P(3, 4)])
case("BCEWithLogitsLoss", [], {"pos_weight": {"$tensor": [0.5, 1.0, 2.0, 0.1]}}, [F(3, 4), P(3, 4)])
case("BCEWithLogitsLoss", [], {"weight": {"$tensor": [0.5, 1.0, 2.0, 0.1]}, "reduction": "none"}, [F(3, 4), P(3, 4)])
for kw in [{}, {"reduction": "batchmean"}, {"reduction": "sum", "log_target": True}]:
    case("KLDivLoss", [], kw, [L(3, 4), P(3, 4)])
case("HingeEmbeddingLoss", [], {}, [F(3, 4), S(3, 4)])
case("HingeEmbeddingLoss", [], {"margin": 0.5, "reduction": "sum"}, [F(3, 4), S(3, 4)])
case("MarginRankingLoss", [], {"margin": 0.2}, [F(4), F(4), S(4)])
case("CosineEmbeddingLoss", [], {"margin": 0.1}, [F(3, 4), F(3, 4), S(3)])
case("TripletMarginLoss", [], {}, [F(3, 4), F(3, 4), F(3, 4)])
case("TripletMarginLoss", [], {"margin": 2.0, "p": 1.0, "swap": True, "reduction": "none"}, [F(3, 4), F(3, 4), F(3, 4)])
case("SoftMarginLoss", [], {}, [F(3, 4), S(3, 4)])
case("MultiLabelSoftMarginLoss", [], {}, [F(3, 4), P(3, 4)])
case("MultiMarginLoss", [], {}, [F(3, 4), I(4, 3)])
case("MultiMarginLoss", [], {"p": 2, "margin": 0.5}, [F(3, 4), I(4, 3)])
case("MultiLabelMarginLoss", [], {}, [F(3, 4), I(4, 3, 4)])
case("PoissonNLLLoss", [], {}, [F(3, 4), Q(3, 4)])
case("PoissonNLLLoss", [], {"log_input": False, "full": True}, [Q(3, 4), Q(3, 4)])
case("GaussianNLLLoss", [], {}, [F(3, 4), F(3, 4), Q(3, 4)])
case("GaussianNLLLoss", [], {"full": True, "reduction": "sum"}, [F(3, 4), F(3, 4), Q(3, 1)])

# Runs that are not recorded, or not these keys of them, and why: modules, what a run must have, keys.
RECURRENT = "RNN LSTM GRU RNNCell LSTMCell GRUCell"
SKIPPED = [
    ("Bilinear ConvTranspose2d ConvTranspose3d CrossMapLRN2d Embedding SiLU SoftMarginLoss LocalResponseNorm", {"t": "complex128"},
     "PyTorch has no complex kernel or derivative, and says it of a kernel inside; complex numbers mostly work here"),
    ("CrossMapLRN2d", {"gi": None}, "PyTorch's derivative is off by one channel; here it is that of the formula"),
    ("CrossMapLRN2d", {"wrong": None}, "PyTorch says what its loop over channels runs into"),
    ("BCELoss", {"g2": None}, "PyTorch adds 1e-12 to what it divides by"),
    ("Hardsigmoid", {"t": "float64", "gi": None}, "PyTorch's sixth has the precision of float32"),
    ("PixelUnshuffle", {"wrong": "empty batch"}, "PyTorch gives back an empty input as it is"),
    ("PixelUnshuffle", {"wrong": "no columns"}, "the same"),
    ("CosineEmbeddingLoss", {"wrong": None, "error": None}, "PyTorch runs into an index before it looks at the sizes"),
    ("Unfold", {"wrong": None, "error": None}, "the same, and it names a wrong size"),
    ("FractionalMaxPool3d", {"wrong": "channel more"}, "PyTorch reads random samples that are not there"),
    ("UpsamplingNearest2d UpsamplingBilinear2d", {"wrong": "integers"}, "PyTorch names a kernel by memory layout"),
    ("UpsamplingNearest2d UpsamplingBilinear2d", {"t": "complex128"}, "the same"),
    ("MaxUnpool1d MaxUnpool2d MaxUnpool3d", {"wrong": "out of range"}, "PyTorch names any of the positions"),
    ("GaussianNLLLoss", {"wrong": "integers"}, "PyTorch says long int for Long here"),
    (RECURRENT + " Transformer TransformerDecoderLayer TransformerEncoderLayer MultiheadAttention", {"wrong": None, "error": None},
     "these have tests of their own"),
    ("CTCLoss", {"wrong": "element"}, "PyTorch runs into an index before it looks at the sizes"),
    ("CTCLoss", {"wrong": "out of range"}, "PyTorch reads what is not there"),
    ("CTCLoss", {"wrong": "column"}, "the same"),
    ("EmbeddingBag", {"t": "complex128"}, "PyTorch lists scalar types here"),
    ("EmbeddingBag", {"wrong": "out of range"}, "PyTorch's message names a line of its source"),
]

# Modules whose configurations in PyTorch's own tests are not recorded: they have tests of their own.
ELSEWHERE = ("Lazy",)
