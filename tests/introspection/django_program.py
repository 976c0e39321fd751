"""Django against the database that the environment names: `django_program.py inspectdb` or `django_program.py orm`.

A program, because Django has its settings once in a process. What it prints is what Django learned of the database.
"""

import datetime
import json
import os
import sys
from decimal import Decimal

import django
from django.conf import settings
from django.core.management import call_command
from django.db import models, transaction
from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import TruncMonth, Upper


def configure() -> None:
    where = json.loads(os.environ["CONNECTION"])
    settings.configure(USE_TZ=True, DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "HOST": where["host"], "PORT": where["port"], "USER": where["user"],
        "PASSWORD": where["password"], "NAME": where["dbname"]}})
    django.setup()


class Details(models.JSONField):
    """JSONField for a column of type json, which psycopg has read already; Django's own is for jsonb."""

    def from_db_value(self, value, expression, connection):
        return value


def use_the_orm() -> None:
    class Product(models.Model):
        id = models.BigIntegerField(primary_key=True)
        name = models.CharField(max_length=50)
        price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
        made = models.DateTimeField(null=True)
        details = Details(null=True)
        active = models.BooleanField(default=True)

        class Meta:
            app_label = "shop"
            managed = False
            db_table = "product"

    def noon(month: int) -> datetime.datetime:
        return datetime.datetime(2024, month, 2, 12, tzinfo=datetime.timezone.utc)

    objects = Product.objects
    objects.create(id=1, name="it's a lamp", price=Decimal("12.50"), made=noon(1), details={"colour": "red", "sizes": [1, 2]})
    made = objects.bulk_create([Product(id=2, name="table", price=Decimal("99"), made=noon(1)),
                                Product(id=3, name="chair", details={"colour": 'b"lue'}, active=False),
                                Product(id=4, name="tür", price=None, made=noon(3)),
                                Product(id=5, name="%s \\ {,}", price=Decimal("0.01"), made=noon(3), details=[None, "a,b"])])
    print("bulk", len(made))
    print(list(objects.order_by("id").values_list("id", "name", "price", "made", "active")))
    print([json.dumps(product.details, sort_keys=True) for product in objects.filter(details__isnull=False).order_by("id")])
    print(objects.get(name="it's a lamp").price, objects.filter(price__gt=10, active=True).count())
    print(objects.filter(Q(id__in=[2, 3]) | Q(name__icontains="TÜ")).count())
    print(list(objects.filter(made__year=2024, made__month=3).order_by("id").values("id", upper=Upper("name"))))
    months = objects.annotate(month=TruncMonth("made")).values("month")
    print(list(months.annotate(n=Count("id"), total=Sum("price")).order_by("month")))
    print(objects.aggregate(Sum("price"), Max("made"), Count("details"), n=Count("id", filter=Q(active=True))))
    print("updated", objects.filter(active=True).update(price=F("price") * 2, name=Upper("name")))
    chair = objects.get(pk=3)
    chair.details = {"colour": None}
    chair.save()
    print(objects.bulk_update([Product(id=2, name="desk", price=Decimal("1.00")),
                               Product(id=4, name="size", price=Decimal("2.00"))], ["name", "price"]))
    print(list(objects.order_by("-price", "id").values_list("id", "name", "price")[1:4]))
    try:
        with transaction.atomic():
            objects.all().delete()
            raise ValueError("taken back")
    except ValueError as error:
        print(error, objects.count())
    print(objects.filter(name__startswith="d").exists(), objects.get_or_create(id=6, defaults={"name": "new"})[1])
    print(objects.update_or_create(id=6, defaults={"name": "newer"})[1])
    print("deleted", objects.filter(id__gte=3).delete()[0], list(objects.order_by("id").values_list("id", flat=True)))
    print([row.name for row in objects.raw("SELECT * FROM product WHERE price < %s ORDER BY id", [1000])])


if __name__ == "__main__":
    configure()
    if sys.argv[1] == "inspectdb":
        call_command("inspectdb", "--include-views")
    else:
        use_the_orm()
