"""A recipe: how to quantize, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.errors import LibraryError
from edgenet.library import Table, read_table
from edgenet.notebook import Shown

__all__ = ["Recipe"]

CHOICES = {
    "precision": ("fp16", "int8", "int8-dynamic"),
    "granularity": ("per-channel", "per-tensor"),
    "equalize": ("none", "range", "weights"),
    "rounding": ("nearest", "second-order"),
    "scores": ("observer", "divergence", "float", "int16"),
}
# Keys that younger versions know; left out where they say nothing, so that older files keep their digests.
OPTIONAL = (
    "paired", "observe_images", "headroom", "quiet_headroom", "leave_grid", "spare_channels", "trade_noise",
    "variants",
)  # fmt: skip
# What the variants of a recipe may set.
VARIED = (
    "observer", "reuse_dead", "spare_channels", "equalize", "trade_noise", "scores", "adapt", "leave_grid",
    "damping", "sweeps", "positions", "rounding_images", "observe_images", "headroom", "quiet_headroom",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Recipe(Shown):
    """How a float model becomes smaller and faster: ``calibration/recipes/NAME.toml``, docs/quantization.md.

    Attributes:
        name: Short name.
        summary: One line for people.
        precision: What comes out: "int8"; "int8-dynamic" (int8 weights, float activations in the file);
            "fp16" (no other key counts then).
        observer: How activation ranges are found; a name of ``edgenet.quantize.calibration.observers``.
        granularity: "per-channel" or "per-tensor" weights.
        images: The most calibration images to use; 0 means all of them.
        skip_corrupt_percent: Share of unreadable images that is tolerated, in percent.
        reuse_dead: Let channels that are always zero carry copies of the noisiest live ones.
        spare_channels: Fill the channels of depthwise layers that add much noise up to a multiple of this,
            with copies as ``reuse_dead``: as many as kernels compute at a time. 0: none.
        equalize: Scale channels so that each fills its tensor's "range", or so that the "weights" on both
            sides get equal ranges (for one scale a kernel); or "none".
        trade_noise: With "range": let a channel fill less of it, where the weights that read it gain more by
            that than the channel loses.
        balance: With "weights": 1 looks at the weights alone, 0 at the activations' range alone.
        rounding: "nearest", or "second-order": layer by layer, by what the layer's output loses.
        scores: Range of the class scores: the "observer" as for any tensor, or the least "divergence" of
            the probabilities; or they stay "float", or become "int16", with int8 weights before them.
        adapt: How far (0 to 1) a layer's weights go towards those that undo the noise of its int8 inputs,
            as a share of what helps held-out images.
        leave_grid: Let weights that lie on an int8 grid already (of a network trained for int8) leave it, so
            that they, too, undo the noise of a layer's inputs.
        damping: Added to the second moments' diagonal, as a share of its mean.
        sweeps: The most rounds of coordinate descent over a layer's weights.
        positions: The most positions of an image from which a layer's second moments are taken.
        rounding_images: The most images for the layer-by-layer work; fewer where memory or time is short.
        observe_images: Where memory lets the layer-by-layer work see fewer images of a tensor, its range
            comes from a float run over at most so many.
        memory_mb: Memory for the activations that the layer-by-layer work keeps, in MB.
        float_layers: Layers that keep float weights, and float activations among themselves; by the name of
            their convolution.
        max_drift: Top-1 that may be lost, in percentage points; the cheapest set of layers that keeps it
            stays in float. 0: no limit, all int8.
        seconds: Time to spend on the layer-by-layer work, on a machine of 5e9 multiply-adds a second; 0 is
            without limit. It is counted, not measured, so that the same inputs give the same bytes.
        paired: Let no two neighboring weights overflow 16 bits (:mod:`edgenet.graph.qdq.lanes`): what
            processors without VNNI are fast with. Builds for them set it.
        headroom: The share by which ranges, and channels that are equalized, are wider than what the images
            showed. Detectors set it: what decides is rare there.
        quiet_headroom: The same for channels of tensors that add little of all rounding noise: there it costs
            little, and other images hold larger values than the calibration images.
        variants: Other values of some keys, a table each: each is tried on half of the images and judged by
            the others, as the recipe itself is, and the one whose answers are nearest to the float network's
            is followed.

    Examples:
        >>> edgenet.Recipe.load("int8-minmax")
        <Recipe int8-minmax: int8, min-max, per-channel>
    """

    name: str
    summary: str
    observer: str = "min-max"
    granularity: str = "per-channel"
    images: int = 0
    skip_corrupt_percent: float = 5.0
    precision: str = "int8"
    reuse_dead: bool = False
    spare_channels: int = 0
    equalize: str = "none"
    trade_noise: bool = False
    balance: float = 1.0
    rounding: str = "nearest"
    scores: str = "observer"
    adapt: float = 1.0
    leave_grid: bool = False
    damping: float = 0.01
    sweeps: int = 8
    positions: int = 400
    rounding_images: int = 64
    observe_images: int = 0
    memory_mb: float = 48.0
    float_layers: tuple[str, ...] = ()
    max_drift: float = 0.0
    seconds: float = 0.0
    paired: bool = False
    headroom: float = 0.0
    quiet_headroom: float = 0.0
    variants: tuple[Mapping[str, Any], ...] = ()

    def __repr__(self) -> str:
        return f"<Recipe {self.name}: {self.precision}, {self.observer}, {self.granularity}>"

    def _title(self) -> str:
        return f"recipe {self.name}"

    def _rows(self) -> Mapping[str, Any]:
        """What it says, and what it changes of the defaults."""
        usual = Recipe(self.name, self.summary)
        changed = {name: value for name, value in vars(self).items() if value != getattr(usual, name)}
        return {"summary": self.summary, "precision": self.precision, "observer": self.observer, **changed}

    @classmethod
    def load(cls, name: Path | str) -> Recipe:
        """Read a recipe by name or path.

        Raises:
            LibraryError: Not found, or a value is missing, unknown or of the wrong type.
        """
        return cls.from_table(read_table("recipe", name))

    @classmethod
    def from_table(cls, table: Table) -> Recipe:
        """Read the values of a recipe; see :meth:`load`."""
        recipe = cls(
            name=table.take("name", str),
            summary=table.take("summary", str),
            precision=table.take("precision", str, "int8"),
            observer=table.take("observer", str, "min-max"),
            granularity=table.take("granularity", str, "per-channel"),
            images=table.take("images", int, 0),
            skip_corrupt_percent=float(table.take("skip_corrupt_percent", (int, float), 5)),
            reuse_dead=table.take("reuse_dead", bool, False),
            spare_channels=int(_number(table, "spare_channels", 0)),
            equalize=table.take("equalize", str, "none"),
            trade_noise=table.take("trade_noise", bool, False),
            balance=_number(table, "balance", 1),
            rounding=table.take("rounding", str, "nearest"),
            scores=table.take("scores", str, "observer"),
            adapt=_number(table, "adapt", 1),
            leave_grid=table.take("leave_grid", bool, False),
            damping=_number(table, "damping", 0.01),
            sweeps=int(_number(table, "sweeps", 8)),
            positions=int(_number(table, "positions", 400)),
            rounding_images=int(_number(table, "rounding_images", 64)),
            observe_images=int(_number(table, "observe_images", 0)),
            memory_mb=_number(table, "memory_mb", 48),
            float_layers=_strings(table, "float_layers"),
            max_drift=_number(table, "max_drift", 0),
            seconds=_number(table, "seconds", 0),
            paired=table.take("paired", bool, False),
            headroom=_number(table, "headroom", 0),
            quiet_headroom=_number(table, "quiet_headroom", 0),
            variants=_variants(table),
        )
        table.done()
        recipe.check(table.where)
        for variant in recipe.variants:
            recipe.varied(variant, table.where)
        return recipe

    def varied(self, variant: Mapping[str, Any], where: str = "") -> Recipe:
        """This recipe with a variant's values, and no variants.

        Raises:
            LibraryError: The variant names a key that has no place there, or a value means nothing.
        """
        own = {**self.to_table(), **variant}
        own.pop("variants", None)
        unknown = [key for key in variant if key not in VARIED]
        if unknown:
            raise LibraryError(
                f"{where}: variants: {unknown[0]} cannot vary",
                f"vary {', '.join(VARIED[:-1])} or {VARIED[-1]}",
            )
        return Recipe.from_table(Table(own, f"{where}: variants"))

    def check(self, where: str) -> None:
        """Refuse a value that means nothing.

        Raises:
            LibraryError: It names the key and what can be written.
        """
        for key, choices in CHOICES.items():
            if getattr(self, key) not in choices:
                raise LibraryError(
                    f"{where}: {key} = {getattr(self, key)!r}", f"write {' or '.join(choices)}"
                )
        for key in ("adapt", "balance"):
            if not 0 <= getattr(self, key) <= 1:
                raise LibraryError(f"{where}: {key} = {getattr(self, key):g}", "write a number from 0 to 1")
        if self.max_drift and (self.rounding != "second-order" or self.precision != "int8"):
            raise LibraryError(
                f"{where}: max_drift works with int8 and second-order rounding",
                'write precision = "int8" and rounding = "second-order"',
            )
        if self.paired and (self.rounding != "second-order" or self.precision != "int8"):
            raise LibraryError(
                f"{where}: paired works with int8 and second-order rounding",
                'write precision = "int8" and rounding = "second-order"',
            )
        if self.spare_channels and not self.reuse_dead:
            raise LibraryError(
                f"{where}: spare_channels needs the copies of reuse_dead", "write reuse_dead = true"
            )
        if self.trade_noise and self.equalize != "range":
            raise LibraryError(
                f"{where}: trade_noise works on channels that fill the range",
                'write equalize = "range", or trade_noise = false',
            )
        if (self.variants or self.scores in ("float", "int16")) and self.rounding != "second-order":
            raise LibraryError(
                f"{where}: variants, float and int16 scores work with second-order rounding",
                'write rounding = "second-order"',
            )
        for key in ("headroom", "quiet_headroom"):
            if not 0 <= getattr(self, key) <= 4:
                raise LibraryError(f"{where}: {key} = {getattr(self, key):g}", "write a share, such as 0.25")
        if self.damping <= 0:
            raise LibraryError(f"{where}: damping = {self.damping}", "write a positive number, such as 0.01")

    @property
    def needs_images(self) -> bool:
        """Whether there is nothing to do without calibration images."""
        return self.precision == "int8" or (
            self.precision == "int8-dynamic" and self.rounding == "second-order"
        )

    @property
    def mixed(self) -> bool:
        """Whether layers may stay in float."""
        return bool(self.float_layers) or self.max_drift > 0

    def to_table(self) -> dict[str, Any]:
        """All values, JSON-ready; some keys only where they are set."""
        lists = {"float_layers": list(self.float_layers), "variants": [dict(item) for item in self.variants]}
        table = {**asdict(self), **lists}
        return {key: value for key, value in table.items() if value or key not in OPTIONAL}


def _number(table: Table, key: str, default: float) -> float:
    value = float(table.take(key, (int, float), default))
    if value < 0:
        raise LibraryError(f"{table.where}: {key} = {value:g} is negative", "write 0 or more")
    return value


def _variants(table: Table) -> tuple[Mapping[str, Any], ...]:
    values = table.take("variants", list, [])
    if not all(isinstance(value, dict) and value for value in values):
        raise LibraryError(
            f"{table.where}: variants = {values!r} is not a list of tables",
            'write [[variants]] and "key = value"',
        )
    return tuple(values)


def _strings(table: Table, key: str) -> tuple[str, ...]:
    values = table.take(key, list, [])
    if not all(isinstance(value, str) for value in values):
        raise LibraryError(
            f"{table.where}: {key} = {values!r} is not a list of names", 'write ["conv1", ...]'
        )
    return tuple(values)
