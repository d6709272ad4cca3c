"""Pictures: crops, scaling, refused files, and how often a file is decoded."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.images import MAX_PIXELS, ImageError, ImageStore
from tests.scenarios.official_layout import PICTURE_SIZE, write_picture

ORIENTATION = 0x0112


def gradient(width: int, height: int) -> Image.Image:
    """A picture in which every pixel differs."""
    image = Image.new("RGB", (width, height))
    image.putdata([(x, y, 0) for y in range(height) for x in range(width)])
    return image


def png_header(width: int, height: int) -> bytes:
    """Returns the start of a PNG of that size, without pixel data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = zlib.crc32(b"IHDR" + header)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", check)
        + struct.pack(">I", 9)
        + b"IDAT"
    )


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    gradient(64, 48).save(tmp_path / "a.png")
    return ImageStore(tmp_path)


class TestShown:
    def test_the_whole_picture(self, store: ImageStore) -> None:
        assert store.open(ImageRef("a.png")).image.tobytes() == gradient(64, 48).tobytes()

    def test_the_hash_is_that_of_the_file(self, store: ImageStore) -> None:
        content = (store.root / "a.png").read_bytes()
        picture = store.open(ImageRef("a.png", (0, 0, 4, 4)))
        assert picture.sha256 == hashlib.sha256(content).hexdigest()

    @pytest.mark.parametrize(
        ("mode", "file"),
        [("L", "m.png"), ("P", "m.png"), ("RGBA", "m.png"), ("1", "m.png"), ("CMYK", "m.jpg")],
    )
    def test_every_mode_becomes_rgb(self, tmp_path: Path, mode: str, file: str) -> None:
        Image.new(mode, (3, 2)).save(tmp_path / file)
        assert ImageStore(tmp_path).open(ImageRef(file)).image.mode == "RGB"

    def test_exif_orientation_is_ignored(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        Image.new("RGB", (60, 40)).save(tmp_path / "turned.jpg", exif=exif)
        with Image.open(tmp_path / "turned.jpg") as stored:
            assert stored.getexif()[ORIENTATION] == 6
        assert ImageStore(tmp_path).open(ImageRef("turned.jpg")).image.size == (60, 40)


class TestCrop:
    @pytest.mark.parametrize(
        "box",
        [
            (0, 0, 10, 10),
            (1.5, 2.5, 3.5, 4.5),  # halves are rounded to the even neighbour
            (0.4999, 0.5001, 20.5, 21.5),
            (-3.7, -2.2, 70.1, 50.9),  # beyond the edges it is black
            (10.2, 11.8, 12.6, 13.3),
        ],
    )
    def test_is_rounded_as_pillow_rounds(
        self, store: ImageStore, box: tuple[float, float, float, float]
    ) -> None:
        ours = store.open(ImageRef("a.png", box)).image
        theirs = gradient(64, 48).crop(box)  # type: ignore[arg-type]
        assert (ours.size, ours.tobytes()) == (theirs.size, theirs.tobytes())

    @pytest.mark.parametrize(
        "box", [(5, 5, 5, 9), (5, 5, 9, 5), (9, 5, 5, 9), (5, 9, 9, 5), (5.2, 0, 5.4, 9)]
    )
    def test_without_a_pixel_is_refused(
        self, store: ImageStore, box: tuple[float, float, float, float]
    ) -> None:
        with pytest.raises(ImageError, match=r"a\.png: the crop .* contains no pixel"):
            store.open(ImageRef("a.png", box))

    def test_of_too_many_pixels_is_refused(self, store: ImageStore) -> None:
        with pytest.raises(ImageError, match=r"a\.png: the crop .* is too large"):
            store.open(ImageRef("a.png", (0, 0, MAX_PIXELS + 1, 1)))


class TestRefused:
    def test_a_missing_file(self, store: ImageStore) -> None:
        with pytest.raises(ImageError, match=r"sub/b\.png: No such file"):
            store.open(ImageRef("sub/b.png"))

    def test_a_folder(self, store: ImageStore) -> None:
        (store.root / "sub").mkdir()
        with pytest.raises(ImageError, match="sub: Is a directory"):
            store.open(ImageRef("sub"))

    @pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
    def test_a_truncated_file(self, tmp_path: Path, kind: str) -> None:
        buffer = io.BytesIO()
        Image.effect_noise((64, 64), 90).convert("RGB").save(buffer, kind)
        (tmp_path / "cut").write_bytes(buffer.getvalue()[: buffer.tell() // 2])
        with pytest.raises(ImageError, match="cut: not a readable picture"):
            ImageStore(tmp_path).open(ImageRef("cut"))

    @pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
    def test_a_file_that_is_no_picture(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "x.png").write_bytes(content)
        with pytest.raises(ImageError, match=r"x\.png: not a picture in one of the formats JPEG"):
            ImageStore(tmp_path).open(ImageRef("x.png"))

    # Pillow also warns, but the warning does not refuse the picture.
    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    @pytest.mark.parametrize("size", [(MAX_PIXELS // 9000 + 1, 9000), (100_000, 100_000)])
    def test_a_header_of_huge_size_before_any_pixel(
        self, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        (tmp_path / "bomb.png").write_bytes(png_header(*size))
        with pytest.raises(ImageError, match=r"bomb\.png: .*pixels"):
            ImageStore(tmp_path).open(ImageRef("bomb.png"))

    @pytest.mark.parametrize(
        "path", ["../secret.png", "sub/../../secret.png", "/etc/passwd", "..\\secret.png", "C:\\x"]
    )
    def test_a_path_that_leads_outside(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "data").mkdir()
        write_picture(tmp_path / "secret.png")
        with pytest.raises(ImageError, match="leads outside the data folder"):
            ImageStore(tmp_path / "data").open(ImageRef(path))

    @pytest.mark.parametrize("target", ["secret.png", "folder"])
    def test_a_link_that_leads_outside(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "data").mkdir()
        write_picture(tmp_path / "secret.png")
        write_picture(tmp_path / "folder" / "x.png")
        (tmp_path / "data" / "link").symlink_to(tmp_path / target)
        path = "link" if target == "secret.png" else "link/x.png"
        with pytest.raises(ImageError, match="leads outside the data folder"):
            ImageStore(tmp_path / "data").open(ImageRef(path))

    def test_a_link_in_a_circle(self, store: ImageStore) -> None:
        (store.root / "loop").symlink_to("loop")
        with pytest.raises(ImageError, match="loop: "):
            store.open(ImageRef("loop"))

    def test_a_name_with_a_null(self, store: ImageStore) -> None:
        with pytest.raises(ImageError, match="null"):
            store.open(ImageRef("a\0.png"))


class TestScaled:
    @pytest.mark.parametrize(
        ("size", "short_edge", "expected"),
        [
            ((64, 48), 24, (32, 24)),
            ((48, 64), 24, (24, 32)),
            ((64, 48), 96, (128, 96)),
            # 224 / 55 * 55 is slightly below 224, and the fraction is cut off.
            ((55, 110), 224, (223, 447)),
        ],
    )
    def test_to_its_short_edge(
        self, tmp_path: Path, size: tuple[int, int], short_edge: int, expected: tuple[int, int]
    ) -> None:
        Image.new("RGB", size).save(tmp_path / "a.png")
        ref = ImageRef("a.png", short_edge=short_edge)
        assert ImageStore(tmp_path).open(ref).image.size == expected

    def test_after_the_crop(self, store: ImageStore) -> None:
        picture = store.open(ImageRef("a.png", (0, 0, 40, 20), short_edge=10))
        assert picture.image.size == (20, 10)
        assert (
            picture.image.tobytes()
            == gradient(64, 48).crop((0, 0, 40, 20)).resize((20, 10)).tobytes()
        )

    def test_once(self, store: ImageStore) -> None:
        ref = ImageRef("a.png", short_edge=24)
        assert store.open(ref).image is store.open(ref).image

    def test_and_kept_beside_the_whole(self, store: ImageStore) -> None:
        small, whole = store.open(ImageRef("a.png", short_edge=24)), store.open(ImageRef("a.png"))
        assert (small.image.size, whole.image.size) == ((32, 24), (64, 48))
        assert store.decodes == 1

    def test_not_beyond_what_is_shown(self, store: ImageStore) -> None:
        with pytest.raises(ImageError, match=r"a\.png: .* pixels exceed the limit"):
            store.open(ImageRef("a.png", (0, 0, 60, 1), short_edge=2000))


class TestCache:
    BYTES = PICTURE_SIZE[0] * PICTURE_SIZE[1] * 3 + 300
    """Most bytes of a decoded picture and its file."""

    def store(self, path: Path, pictures: int) -> ImageStore:
        """Four pictures and a cache for some of them."""
        for name in "abcd":
            write_picture(path / f"{name}.png")
        return ImageStore(path, cache_bytes=pictures * self.BYTES)

    def decodes(self, store: ImageStore, names: str) -> int:
        for name in names:
            store.open(ImageRef(f"{name}.png"))
        return store.decodes

    def test_a_file_is_decoded_once_whatever_is_shown_of_it(self, tmp_path: Path) -> None:
        store = self.store(tmp_path, 4)
        for edge in range(1, 9):
            store.open(ImageRef("a.png", (0, 0, edge, edge)))
        assert store.decodes == 1

    def test_as_many_as_fit_are_kept(self, tmp_path: Path) -> None:
        assert self.decodes(self.store(tmp_path, 2), "abab") == 2

    def test_the_one_used_longest_ago_goes_first(self, tmp_path: Path) -> None:
        store = self.store(tmp_path, 2)
        assert self.decodes(store, "abac") == 3
        assert self.decodes(store, "a") == 3
        assert self.decodes(store, "b") == 4

    def test_a_picture_larger_than_the_cache_is_kept_alone(self, tmp_path: Path) -> None:
        assert self.decodes(self.store(tmp_path, 0), "aaba") == 3

    def test_faults_are_not_counted(self, tmp_path: Path) -> None:
        store = self.store(tmp_path, 1)
        with pytest.raises(ImageError):
            store.open(ImageRef("none.png"))
        assert store.decodes == 0
