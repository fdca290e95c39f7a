"""The APIs of rembg's server and of remove.bg, as their clients call them."""

import base64
import importlib.util
import io
import json
import zipfile
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from service_client import file_of, pictures, pixels_of, running

import trimatte as tm
from trimatte.web import finish, rough
from trimatte.web.errors import Refused
from trimatte.web.settings import Settings
from trimatte.web.task import Task, work


class TestRembg:
    def test_a_mask_is_refined_by_default(self, client, guided):
        arrays, files = guided
        answer = client.post("/api/remove", file=files["image"], mask=files["mask"])
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
        sure = np.clip((arrays["mask"].astype(np.float32) - 10) / 230, 0, 1)
        alpha = tm.matte_from_mask(arrays["image"], sure)
        assert abs(pixels_of(answer.body)[..., 3] - np.round(alpha * 255)).max() <= 1

    def test_without_matting_the_mask_is_alpha(self, client, guided):
        arrays, files = guided
        answer = client.post("/api/remove", file=files["image"], mask=files["mask"], a="false", om="true")
        assert (pixels_of(answer.body) == arrays["mask"]).all()

    def test_a_trimap_takes_the_masks_place(self, client, guided):
        arrays, files = guided
        answer = client.post("/api/remove", file=files["image"], trimap=files["trimap"])
        assert (pixels_of(answer.body) == tm.cutout(arrays["image"], arrays["trimap"])).all()

    def test_specks_go_on_demand(self, client, guided):
        arrays, files = guided
        speckled = arrays["mask"].copy()
        speckled[2, 2] = 255
        given = {"file": files["image"], "mask": file_of(speckled), "a": "false", "om": "true"}
        assert pixels_of(client.post("/api/remove", **given).body)[2, 2] == 255
        assert pixels_of(client.post("/api/remove", ppm="true", **given).body)[2, 2] == 0

    def test_a_background_is_put_behind(self, client, files):
        query = "?" + urlencode({"bgc": "255,0,0,255", "model": "u2net", "extras": "{}"})
        answer = client.post("/api/remove" + query, file=files["image"], mask=files["mask"])
        pixels = pixels_of(answer.body)
        assert (pixels[..., 3] == 255).all()
        assert pixels[0, 0].tolist() == [255, 0, 0, 255]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"af": "5"}, "ab: expected a number below af, 5, got 10"),
            ({"af": "300"}, "af: expected a whole number from 0 up to 255, got '300'"),
            ({"bgc": "1,2,3"}, "bgc: expected red,green,blue,alpha"),
            ({"bgc": "1,2,3,x"}, "bgc: expected red,green,blue,alpha"),
            ({"a": "maybe"}, "a: expected true or false, got 'maybe'"),
            ({"extras": "["}, "extras: expected a JSON object"),
        ],
    )
    def test_bad_fields_are_refused(self, client, files, fields, message):
        answer = client.post("/api/remove", file=files["image"], mask=files["mask"], **fields)
        assert answer.status == 400
        assert answer.json["detail"].startswith(message)

    def test_a_photograph_alone_is_told_what_it_needs(self, client, files):
        answer = client.post("/api/remove", file=files["image"])
        assert answer.status == 400
        assert "no segmentation model" in answer.json["detail"]
        assert client.post("/api/remove", mask=files["mask"]).json["detail"].startswith("file: expected a picture")

    def test_a_url_is_not_fetched(self, client):
        answer = client.get("/api/remove?url=http://127.0.0.1/photo.jpg")
        assert answer.status == 400
        assert "this service fetches none" in answer.json["detail"]
        assert client.get("/api/remove").json["detail"].startswith("url: expected the URL of a picture")


class TestRemoveBg:
    def test_the_result_is_a_preview_unless_more_is_asked_for(self, client):
        _, files = pictures(600, 800)
        given = {"image_file": files["image"], "trimap": files["trimap"]}
        answer = client.post("/v1.0/removebg", headers={"X-Api-Key": "any"}, **given)
        height, width = pixels_of(answer.body).shape[:2]
        assert answer.status == 200
        assert 240_000 < height * width <= 250_000
        assert (answer.headers["x-width"], answer.headers["x-height"]) == (str(width), str(height))
        assert answer.headers["x-credits-charged"] == "0"
        assert pixels_of(client.post("/v1.0/removebg", size="full", **given).body).shape == (600, 800, 4)

    def test_a_picture_without_transparency_is_jpeg(self, client, files):
        answer = client.post("/v1.0/removebg", image_file=files["image"], mask=files["mask"], bg_color="81d4fa")
        assert answer.headers["content-type"] == "image/jpeg"
        assert abs(pixels_of(answer.body)[2, 2].astype(int) - (0x81, 0xD4, 0xFA)).max() <= 4

    def test_crop_leaves_the_subject_and_its_margin(self, client, guided):
        arrays, files = guided
        given = {"image_file": files["image"], "trimap": files["trimap"], "crop": "true"}
        answer = client.post("/v1.0/removebg", crop_margin="2px 3px", **given)
        box = tm.crop_box(tm.cutout(arrays["image"], arrays["trimap"])[..., 3])
        size = (box.bottom - box.top + 4, box.right - box.left + 6)
        assert pixels_of(answer.body).shape[:2] == size
        names = ("left", "top", "width", "height")
        assert [int(answer.headers[f"x-foreground-{name}"]) for name in names] == [
            box.left, box.top, box.right - box.left, box.bottom - box.top
        ]  # fmt: skip

    def test_alpha_alone(self, client, guided):
        arrays, files = guided
        given = {"image_file": files["image"], "trimap": files["trimap"], "channels": "alpha"}
        answer = client.post("/v1.0/removebg", **given)
        assert (pixels_of(answer.body) == tm.cutout(arrays["image"], arrays["trimap"])[..., 3]).all()

    def test_zip_holds_colours_and_alpha(self, client, files):
        answer = client.post("/v1.0/removebg", image_file=files["image"], mask=files["mask"], format="zip")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            assert archive.namelist() == ["color.jpg", "alpha.png"]
            assert pixels_of(archive.read("alpha.png")).shape == (48, 64)

    def test_base64_in_and_out(self, client, files):
        def text(name):
            return base64.b64encode(files[name]).decode()

        # A mask cannot come in JSON: remove.bg has no such field, and files need multipart.
        answer = client.post(
            "/v1.0/removebg",
            headers={"Accept": "application/json"},
            image_file_b64="data:image/png;base64," + text("image"),
            mask=files["mask"],
        )
        data = answer.json["data"]
        assert pixels_of(base64.b64decode(data["result_b64"])).shape == (48, 64, 4)
        assert data["foreground_height"] > 0
        body = json.dumps({"image_file_b64": text("image"), "crop": True})
        answer = client.send("POST", "/v1.0/removebg", body, {"Content-Type": "application/json"})
        assert (answer.status, answer.json["errors"][0]["code"]) == (400, "no_guide")

    def test_a_picture_is_put_behind(self, client, files):
        red = file_of(np.broadcast_to(np.uint8([200, 0, 0]), (10, 40, 3)))
        given = {"image_file": files["image"], "mask": files["mask"], "format": "png"}
        pixels = pixels_of(client.post("/v1.0/removebg", bg_image_file=red, **given).body)
        assert pixels.shape == (48, 64, 4)
        assert pixels[1, 1].tolist() == [200, 0, 0, 255]

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"size": "huge"}, "invalid_size"),
            ({"format": "gif"}, "invalid_format"),
            ({"channels": "cmyk"}, "invalid_channels"),
            ({"crop_margin": "3em"}, "invalid_crop_margin"),
            ({"crop_margin": "1 2 3"}, "invalid_crop_margin"),
            ({"bg_color": "ggg"}, "invalid_bg_color"),
            ({"bg_color": "fff", "bg_image_url": "http://a.example/b.png"}, "multiple_bg_sources"),
            ({"image_url": "http://a.example/b.png"}, "multiple_sources"),
            ({"roi": "0% 0% 50% 50%"}, "invalid_roi"),
            ({"scale": "50%"}, "invalid_scale"),
            ({"add_shadow": "true"}, "invalid_add_shadow"),
            ({"semitransparency": "perhaps"}, "invalid_semitransparency"),
        ],
    )
    def test_errors_have_remove_bgs_codes(self, client, files, fields, code):
        answer = client.post("/v1.0/removebg", image_file=files["image"], mask=files["mask"], **fields)
        assert (answer.status, answer.json["errors"][0]["code"]) == (400, code)
        assert answer.json["errors"][0]["title"]

    def test_errors_about_the_source(self, client, files):
        def code(**fields):
            return client.post("/v1.0/removebg", **fields).json["errors"][0]["code"]

        nothing = file_of(np.zeros((48, 64), np.uint8))
        assert code(mask=files["mask"]) == "missing_source"
        assert code(image_file=files["image"], mask=nothing) == "unknown_foreground"
        assert code(image_url="http://a.example/b.png", mask=files["mask"]) == "invalid_image_url"
        assert code(image_file_b64="?", mask=files["mask"]) == "invalid_image_file_b64"
        both = {"mask": files["mask"], "trimap": files["trimap"]}
        assert code(image_file=files["image"], **both) == "bad_input"

    def test_the_account_has_credit(self, client):
        assert client.get("/v1.0/account").json["data"]["attributes"]["credits"]["total"] > 0


def test_names_of_colours_and_digits_of_four():
    from trimatte.web.removebg import _colour

    assert _colour("green") == (0, 128, 0, 255)
    assert _colour("#81d4fa77") == (0x81, 0xD4, 0xFA, 0x77)
    assert _colour("f008") == (255, 0, 0, 0x88)


def test_margins_are_limited_as_remove_bg_says():
    box = tm.CropBox(10, 10, 110, 50)
    margins = finish._with_margins(box, ((10, True), (900, False), (80, True), (0, False)))
    assert margins == (10, 10 - 4, 110 + 50, 50 + 20)


def test_a_reduced_cutout_has_no_fringe():
    """The colours of transparent pixels do not leak into the edge."""
    cutout = np.zeros((40, 40, 4), np.uint8)
    cutout[:, :20] = (250, 10, 10, 255)
    cutout[:, 20:, :3] = (0, 255, 0)
    small = np.asarray(finish._reduced(Image.fromarray(cutout), 100))
    edge = small[..., 3] > 8
    assert small.shape == (10, 10, 4)
    assert (small[edge][:, 1] <= 14).all()


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs the extra models")
class TestModel:
    """A network whose mask is the mean of the channels, and a bright disc on black."""

    @pytest.fixture(scope="class")
    @staticmethod
    def model(tmp_path_factory):
        import onnx_file

        return onnx_file.mean_of_channels(tmp_path_factory.mktemp("model") / "u2net.onnx", (320, 320))

    @staticmethod
    def disc(brightness):
        y, x = np.mgrid[:64, :64]
        image = np.zeros((64, 64, 3), np.uint8)
        image[np.hypot(y - 32, x - 30) < 16] = brightness
        return image

    def test_a_photograph_alone_is_cut_out(self, model):
        with running(model=model) as client:
            answer = client.post("/v1.0/removebg", image_file=file_of(self.disc(250)), size="auto")
            assert answer.status == 200
            alpha = pixels_of(answer.body)[..., 3]
            assert alpha[32, 30] > 250
            assert alpha[2, 2] < 5

    def test_the_mask_is_the_models(self, model):
        settings = Settings(workers=1, memory=1, model=model)
        task = Task({"image": file_of(self.disc(250))}, model=settings.network, refine=False)
        expected = tm.mask_from_model(self.disc(250), model)
        assert abs(pixels_of(work(task).content)[..., 3] - expected * 255).max() <= 1

    def test_a_picture_without_a_subject_is_told_so(self, model, monkeypatch):
        monkeypatch.setattr(rough, "mask_by", lambda image, _: np.zeros(image.shape[:2], np.float32))
        settings = Settings(workers=1, memory=1, model=model)
        with pytest.raises(Refused) as caught:
            work(Task({"image": file_of(self.disc(250))}, model=settings.network))
        assert (caught.value.status, caught.value.code) == (400, "unknown_foreground")

    def test_a_model_that_fails_is_the_operators_matter(self, tmp_path, caplog):
        model = Settings(workers=1, memory=1, model=str(tmp_path / "none.onnx")).network
        with pytest.raises(Refused) as caught:
            work(Task({"image": file_of(self.disc(250))}, model=model))
        assert caught.value.status == 503
        assert "none.onnx" not in caught.value.message
        assert "none.onnx" in caplog.records[0].reason

    def test_a_wrong_model_is_told_at_the_start(self, tmp_path, capsys):
        from trimatte.cli import run

        assert run(["serve", "--model", str(tmp_path / "none.onnx")]) == 1
        assert "none.onnx" in capsys.readouterr().err
