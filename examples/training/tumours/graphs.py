"""ONNX graphs in the text form of the standard; scikit-learn's trees are put in afterwards."""

import onnx
from onnx import parser
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

from tumours.rows import MEAN_CONCAVE_POINTS, MEAN_CONCAVITY

WIDTH = 30
GRID = 256
# One long float32 sum would lose the fifth digit; a mean of short means keeps the sixth.
GROUP = 128
TREES = "TreeEnsembleClassifier"
HEADER = '<ir_version: 8, opset_import: ["" : 17, "ai.onnx.ml" : 3]>'
SIGNATURE = f"(float[batch, {WIDTH}] features) => (float[batch, 1] score)"
MARGIN = f"""
  label, margins = ai.onnx.ml.{TREES} (features)
  malignant = Constant <value = int64[1] {{1}}> ()
  margin = Gather <axis = 1> (margins, malignant)
"""


def plain(trees):
    return make(trees, f"classify {SIGNATURE} {{ {MARGIN} score = Sigmoid (margin) }}")


def reweighted(trees, ratio_graph, weight, mean):
    return make(
        trees,
        f"""reweight {SIGNATURE}
        <float weight = {{{weight}}}, float mean = {{{mean}}},
         int64[1] at_concavity = {{{MEAN_CONCAVITY}}},
         int64[1] at_points = {{{MEAN_CONCAVE_POINTS}}}> {{
          {MARGIN}
          concavity = Gather <axis = 1> (features, at_concavity)
          points = Gather <axis = 1> (features, at_points)
          {ratio_graph}
          beyond_mean = Sub (ratio, mean)
          shift = Mul (weight, beyond_mean)
          shifted = Add (margin, shift)
          score = Sigmoid (shifted)
        }}""",
    )


def unguarded_ratio():
    return "ratio = Div (points, concavity)"


def guarded_ratio():
    return """
      zero = Constant <value = float {0}> ()
      one = Constant <value = float {1}> ()
      is_flat = Equal (concavity, zero)
      divisor = Where (is_flat, one, concavity)
      quotient = Div (points, divisor)
      ratio = Where (is_flat, zero, quotient)
    """


def augmented(trees, borderline_above, borderline_below, copies):
    """Only the borderline rows are copied, so a row's answer never depends on its batch."""
    return make(
        trees,
        f"""augment {SIGNATURE}
        <float low = {{{borderline_above}}}, float high = {{{borderline_below}}},
         int64[1] every = {{-1}}> {{
          {MARGIN}
          once = Sigmoid (margin)
          is_above = Greater (once, low)
          is_below = Less (once, high)
          both = And (is_above, is_below)
          is_borderline = Reshape (both, every)
          ones = Cast <to = 7> (is_borderline)
          count = ReduceSum <keepdims = 0> (ones)
          any = Cast <to = 9> (count)
          score = If (any) <
            then_branch = average () => (float[batch, 1] mixed) {{ {average(copies)} }},
            else_branch = keep () => (float[batch, 1] kept) {{ kept = Identity (once) }}
          >
        }}""",
    )


def average(copies):
    return f"""
      {jitter(copies)}
      borderline = Compress <axis = 0> (features, is_borderline)
      middle = Constant <value = int64[1] {{1}}> ()
      single = Unsqueeze (borderline, middle)
      jittered = Mul (single, jitter)
      copy_shape = Constant <value = int64[2] {{-1, {WIDTH}}}> ()
      copies = Reshape (jittered, copy_shape)
      copy_label, copy_margins = ai.onnx.ml.{TREES} (copies)
      copy_margin = Gather <axis = 1> (copy_margins, malignant)
      copy_scores = Sigmoid (copy_margin)
      group_shape = Constant <value = int64[4] {{-1, {copies // GROUP}, {GROUP}, 1}}> ()
      grouped = Reshape (copy_scores, group_shape)
      group_means = ReduceMean <axes = [2], keepdims = 0> (grouped)
      averages = ReduceMean <axes = [1], keepdims = 0> (group_means)

      places = NonZero (is_borderline)
      indices = Transpose (places)
      mixed = ScatterND (once, indices, averages)
    """


def jitter(copies):
    """Computed, not stored: as a constant it would be larger than the trees."""
    return f"""
      first = Constant <value = int64 {{0}}> ()
      last = Constant <value = int64 {{{copies * WIDTH}}}> ()
      step = Constant <value = int64 {{1}}> ()
      counted = Range (first, last, step)
      angles = Cast <to = 1> (counted)
      waves = Sin (angles)
      fineness = Constant <value = float {{{GRID}}}> ()
      scaled = Mul (waves, fineness)
      grid = Round (scaled)
      reach = Constant <value = float {{{GRID * 64}}}> ()
      nudges = Div (grid, reach)
      unit = Constant <value = float {{1}}> ()
      flat_jitter = Add (unit, nudges)
      jitter_shape = Constant <value = int64[3] {{1, {copies}, {WIDTH}}}> ()
      jitter = Reshape (flat_jitter, jitter_shape)
    """


def make(trees, text):
    model = parser.parse_model(HEADER + text)
    place_trees(model.graph, converted_attributes(trees))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def converted_attributes(trees):
    model = to_onnx(
        trees,
        initial_types=[("features", FloatTensorType([None, WIDTH]))],
        options={id(trees): {"zipmap": False, "raw_scores": True}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    return next(node.attribute for node in model.graph.node if node.op_type == TREES)


def place_trees(graph, attributes):
    for node in graph.node:
        if node.op_type == TREES:
            node.attribute.extend(attributes)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                place_trees(attribute.g, attributes)
