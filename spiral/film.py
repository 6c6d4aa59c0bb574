"""A painting being painted, as a film: its frames, and the files that hold them."""

from __future__ import annotations

import bisect
import itertools
import os
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

from spiral import checks
from spiral.apng import write_apng
from spiral.errors import InputError, SpiralError
from spiral.files import written_whole
from spiral.pace import stroke_ends, unfinished
from spiral.pictures import check_picture, to_image
from spiral.program import Program, blank_canvas

MAX_FRAMES = 20_000
REST_SECONDS = 2.0  # on the last frame, before a film begins again
ALIKE = 0xF8F8F8  # colours are alike that differ only in the last three bits
QUALITY = 16  # x264's constant rate factor: 0 is lossless, 18 looks so, 51 is the worst


def painting_frames(
    program: Program, frames: int, size: int | None = None, renderer: str | None = None
) -> Iterator[np.ndarray]:
    """A program being painted at an even pace: the blank canvas, then ``frames`` pictures, the last one the replay.

    Arguments otherwise, pictures and errors as of `spiral.program.replay`.
    """
    checks.integer(frames, "frames", 1, MAX_FRAMES)
    canvas = blank_canvas(program, size, renderer)
    yield canvas.pixels()
    if not program.strokes:
        return
    ends = stroke_ends(program, frames)
    finished = 0
    for now in range(1, frames):
        current = bisect.bisect_left(ends, now)
        for stroke in program.strokes[finished:current]:
            canvas.draw(stroke)
        finished = current
        begin = ends[current - 1] if current else 0.0
        share = (now - begin) / (ends[current] - begin)
        before = canvas.memory.copy()
        canvas.draw(unfinished(program.strokes[current], program.canvas, share))
        yield canvas.pixels()
        canvas.memory[...] = before
    for stroke in program.strokes[finished:]:
        canvas.draw(stroke)
    yield canvas.pixels()


def save_gif(frames: Iterable[np.ndarray], path: str | os.PathLike, fps: int) -> None:
    """Write pictures, each uint8 [H, W, C], as an endless GIF that rests on the last one. All are in memory at once.

    Raises:
        InputError: there are none, one is no such array, or the file cannot be written there.
    """
    pictures = [to_image(frame) for frame in _some(frames, "a GIF")]
    if pictures[0].mode == "RGB":
        palette = _palette(pictures)
        for i, picture in enumerate(pictures):  # in place: the originals take four times the memory
            pictures[i] = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    durations = _durations(len(pictures), fps)
    with written_whole(path) as beside:
        pictures[0].save(
            beside, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
        )


def save_apng(frames: Iterable[np.ndarray], path: str | os.PathLike, fps: int) -> None:
    """Write pictures, each uint8 [H, W, C], as an endless animated PNG that rests on the last one: every pixel as it is.

    Raises:
        InputError: there are none, one is no such array, or the file cannot be written there.
    """
    with written_whole(path) as beside, beside.open("wb") as file:
        write_apng(_some(frames, "an APNG"), file, fps, REST_SECONDS)


def save_mp4(frames: Iterable[np.ndarray], path: str | os.PathLike, fps: int) -> None:
    """Write pictures, each uint8 [H, W, C], as an H.264 film that rests on the last one.

    An odd side gets one more row or column like its last, since the format has only even ones.

    Raises:
        InputError: there are none, one is no such array, or the file cannot be written there.
        SpiralError: this build of PyAV cannot encode H.264.
    """
    import av

    if "libx264" not in av.codecs_available:
        raise SpiralError("this build of PyAV has no encoder for H.264 (libx264); install another one or write a .apng")
    with written_whole(path) as beside, av.open(beside, "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = None
        for frame in _resting(_some(frames, "an MP4"), round(REST_SECONDS * fps)):
            pixels = _even_sides(frame)
            if stream is None:
                stream = _h264_stream(file, fps, *pixels.shape[:2])
            # BT.709 is what screens take a film of any size for that says so, as this one does.
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            file.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
        file.mux(stream.encode())


def _h264_stream(file, fps: int, height: int, width: int):
    stream = file.add_stream("libx264", rate=fps, options={"crf": str(QUALITY), "preset": "veryfast"})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709
    context.color_range = 1  # 16..235
    return stream


def _even_sides(pixels: np.ndarray) -> np.ndarray:
    """RGB uint8 [H, W, 3] with even H and W; what is added looks like the row or column beside it."""
    height, width, channels = pixels.shape
    pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return pixels if channels == 3 else pixels.repeat(3, axis=2)


def _some(frames: Iterable[np.ndarray], kind: str) -> Iterator[np.ndarray]:
    """The frames.

    Raises:
        InputError: there are none, or one is no picture.
    """
    none = True
    for frame in frames:
        check_picture(frame)
        yield frame
        none = False
    if none:
        raise InputError(f"{kind} must have at least one frame, got none")


def _resting(frames: Iterable[np.ndarray], times: int) -> Iterator[np.ndarray]:
    """The frames, the last one so many times more."""
    for frame in frames:
        yield frame
    yield from itertools.repeat(frame, times)


def _durations(frames: int, fps: int) -> list[int]:
    """How long each frame of a GIF is shown, ms, in whole hundredths of a second; their rounding does not add up."""
    shown_until = [10 * round(100 * i / fps) for i in range(frames)]
    return [*np.diff(shown_until).tolist(), round(1000 * REST_SECONDS)]


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """256 colours that serve all frames, so that nothing flickers: the commonest, none like another.

    Not averaged ones, which would tint the background; and not alike, because Pillow confuses those.
    """
    thinning = max(1, max(pictures[0].size) // 256)
    some = [np.asarray(picture)[::thinning, ::thinning] for picture in pictures[:: -max(1, len(pictures) // 8)]]
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in some]).astype(np.uint32)
    codes, counts = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32), return_counts=True)
    commonest = codes[np.argsort(-counts, kind="stable")]
    _, first_alike = np.unique(commonest & ALIKE, return_index=True)
    chosen = commonest[np.sort(first_alike)[:256]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([int(code) >> shift & 255 for code in chosen for shift in (16, 8, 0)])
    return palette
