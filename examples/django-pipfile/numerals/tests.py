from django.test import SimpleTestCase, override_settings

from .roman import to_roman


class RomanTests(SimpleTestCase):
    def test_numerals(self):
        for number, roman in [
            (1, "I"),
            (4, "IV"),
            (49, "XLIX"),
            (1994, "MCMXCIV"),
            (3999, "MMMCMXCIX"),
        ]:
            self.assertEqual(to_roman(number), roman)
        for number in (0, -1, 4000):
            with self.assertRaises(ValueError):
                to_roman(number)


# The names with hashes exist only after `collectstatic`.
@override_settings(
    STORAGES={
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        }
    }
)
class ViewTests(SimpleTestCase):
    def test_health(self):
        response = self.client.get("/health")
        self.assertEqual((response.status_code, response.content), (200, b"ok\n"))

    def test_json(self):
        response = self.client.get("/api/roman/1994")
        self.assertEqual(response.json(), {"number": 1994, "roman": "MCMXCIV"})
        self.assertEqual(self.client.get("/api/roman/4000").status_code, 404)

    def test_page(self):
        self.assertContains(self.client.get("/"), "MCMXCIV")
