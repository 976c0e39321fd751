#include "config/reference.hpp"

#include "config/options.hpp"

namespace boathouse::config {
namespace {

constexpr const char* kOpening = R"(# Configuration

Every setting, by what it is about. This page is made from the program's option table (`boathouse config docs`).

A value comes from the first of these that has it:

1. a flag of the command line, `--catalog-port 15432`
2. an environment variable, `BOATHOUSE_CATALOG_PORT=15432`; an empty one counts as not set
3. `boathouse.toml`, `catalog_port = 15432`: named by `--config` or `BOATHOUSE_CONFIG`, else
   `/etc/boathouse/boathouse.toml` where it exists
4. the default

`boathouse config show` prints each value and where it comes from. Before anything is started, all values are checked;
what is missing, malformed or contradictory is listed in one message, and the exit code is 78.

Secrets (passwords, keys, tokens) have no flag, because every user of a machine can read its command lines. They come
from the environment, or from a `boathouse.toml` that only its owner may read (mode 0600).

```toml
# boathouse.toml: keys as on this page
listen = "0.0.0.0"
postgres_password_file = "/run/secrets/postgres_password"
s3_bucket_url = "s3://my-bucket/lake/"
aws_region = "eu-central-1"
merge_files = 32

# The only sections there are: policies of a schema, and of a table.
[policy.sales]
flush_age = "2 hours"

[policy."sales.orders"]
merge_files = "off"
```
)";

std::string type_name(const Option& option) {
    if (is_number(option)) {
        return "whole number from " + std::to_string(option.min) + " to " + std::to_string(option.max);
    }
    if (is_boolean(option)) return "true or false";
    if (is_secret(option)) return "text, a secret";
    if (!option.form.empty()) return std::string(option.form);
    if (!option.choices.empty()) return "one of " + alternatives(option.choices);
    switch (option.shape) {
        case Shape::text:
            return "text";
        case Shape::file:
            return "path of a file";
        case Shape::directory:
            return "path of a directory";
    }
    return "text";
}

std::string code(std::string_view text) {
    return "`" + std::string(text) + "`";
}

std::string section(const Option& option) {
    std::string variables;
    for (const auto variable : option.environment) variables += (variables.empty() ? "" : ", then ") + code(variable);
    std::string standard = "none";
    if (!option.default_text.empty()) standard = code(option.default_text);
    if (option.default_text.empty() && !option.default_note.empty()) standard = option.default_note;
    return "\n### " + std::string(option.key) + "\n\n" + std::string(option.prose) + "\n\n" +
           "- Type: " + type_name(option) + "\n" +                                                   //
           "- Default: " + standard + "\n" +                                                         //
           "- Flag: " + (option.flag.empty() ? "none, it is a secret" : code(option.flag)) + "\n" +  //
           "- Environment: " + variables + "\n" +                                                    //
           "- Example: " + code(option.example) + "\n";
}

}  // namespace

std::string reference_page() {
    std::string page = kOpening;
    std::string_view group;
    for (const Option& option : options()) {
        if (option.group != group) page += "\n## " + std::string(option.group) + "\n";
        group = option.group;
        page += section(option);
    }
    return page;
}

}  // namespace boathouse::config
