// The description of /v1/… for machines (OpenAPI 3.1), served at /v1/openapi.json. tests/http_door walks it against the
// running server, so that neither can change alone.
#pragma once

#include <string_view>

namespace boathouse::http {

extern const std::string_view kOpenApi;

}  // namespace boathouse::http
