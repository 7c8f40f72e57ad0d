from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .roman import to_roman


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    examples = [(number, to_roman(number)) for number in (4, 9, 1994, 2026)]
    return render(request, "numerals/index.html", {"examples": examples})


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def roman(request: HttpRequest, number: int) -> JsonResponse:
    try:
        return JsonResponse({"number": number, "roman": to_roman(number)})
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=404)
