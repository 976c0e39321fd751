#include "http/openapi.hpp"

namespace boathouse::http {

// clang-format off
const std::string_view kOpenApi = R"json({
 "openapi": "3.1.0",
 "info": {
  "title": "Boathouse",
  "version": "1",
  "description": "SQL, ingest and changes over HTTP. Users, passwords and privileges are those of the SQL door."
 },
 "security": [{"basic": []}, {"token": []}],
 "paths": {
  "/v1/openapi.json": {
   "get": {
    "operationId": "describe",
    "summary": "This description",
    "security": [],
    "responses": {
     "200": {
      "description": "OpenAPI 3.1",
      "content": {"application/json": {"schema": {"type": "object", "additionalProperties": true}}}
     }
    }
   }
  },
  "/v1/sql": {
   "post": {
    "operationId": "runStatement",
    "summary": "Runs one statement",
    "description": "The answer has the form that Accept asks for: JSON (an array of objects), NDJSON, CSV or Parquet. A statement that returns no rows is answered with its command tag, in JSON.",
    "parameters": [
     {
      "name": "Content-Encoding",
      "in": "header",
      "required": false,
      "schema": {"type": "string", "enum": ["gzip", "zstd", "identity"]}
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/sql": {"schema": {"type": "string"}, "example": "SELECT 42 AS answer"},
      "application/json": {
       "schema": {"$ref": "#/components/schemas/Statement"},
       "example": {"sql": "SELECT 42 AS answer"}
      }
     }
    },
    "responses": {
     "200": {
      "description": "The answer",
      "content": {
       "application/json": {
        "schema": {
         "oneOf": [
          {"type": "array", "items": {"type": "object", "additionalProperties": true}},
          {"$ref": "#/components/schemas/Command"}
         ]
        }
       },
       "application/x-ndjson": {"schema": {"type": "string"}},
       "text/csv": {"schema": {"type": "string"}},
       "application/vnd.apache.parquet": {"schema": {"type": "string", "contentEncoding": "binary"}},
       "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "contentEncoding": "binary"}}
      }
     },
     "400": {"$ref": "#/components/responses/Unreadable"},
     "401": {"$ref": "#/components/responses/Unauthenticated"},
     "403": {"$ref": "#/components/responses/Forbidden"},
     "404": {"$ref": "#/components/responses/NoSuchTable"},
     "406": {"$ref": "#/components/responses/NotAcceptable"},
     "409": {"$ref": "#/components/responses/Conflict"},
     "413": {"$ref": "#/components/responses/TooLarge"},
     "415": {"$ref": "#/components/responses/UnknownFormat"},
     "422": {"$ref": "#/components/responses/WrongValues"},
     "429": {"$ref": "#/components/responses/TooMany"},
     "500": {"$ref": "#/components/responses/Internal"},
     "503": {"$ref": "#/components/responses/Unavailable"},
     "504": {"$ref": "#/components/responses/TimedOut"}
    }
   }
  },
  "/v1/tables/{table}/rows": {
   "post": {
    "operationId": "writeRows",
    "summary": "Writes rows to a table",
    "description": "All rows or none, unless on_error=skip. The rows are durable when the answer comes.",
    "parameters": [
     {
      "name": "table",
      "in": "path",
      "required": true,
      "schema": {"type": "string"},
      "example": "public.events",
      "description": "schema.table; without a schema: public"
     },
     {
      "name": "create",
      "in": "query",
      "schema": {"type": "boolean", "default": false},
      "description": "create a table that does not exist, with the types that the rows have"
     },
     {
      "name": "add_columns",
      "in": "query",
      "schema": {"type": "boolean", "default": false},
      "description": "add the columns that the table does not have"
     },
     {
      "name": "on_error",
      "in": "query",
      "schema": {"type": "string", "enum": ["fail", "skip"], "default": "fail"},
      "description": "skip: write the good rows, and report the others"
     },
     {
      "name": "Idempotency-Key",
      "in": "header",
      "required": false,
      "schema": {"type": "string", "minLength": 1, "maxLength": 255},
      "description": "a key of the client's own for this request: sent again within a day with the same body, it gets the first answer, and nothing is written"
     },
     {
      "name": "Content-Encoding",
      "in": "header",
      "required": false,
      "schema": {"type": "string", "enum": ["gzip", "zstd", "identity"]}
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/x-ndjson": {"schema": {"type": "string"}, "example": "{\"id\": 1}\n{\"id\": 2}\n"},
      "application/json": {
       "schema": {"type": "array", "items": {"type": "object", "additionalProperties": true}},
       "example": [{"id": 3}]
      },
      "text/csv": {"schema": {"type": "string"}, "example": "id\n4\n"},
      "application/vnd.apache.parquet": {"schema": {"type": "string", "contentEncoding": "binary"}},
      "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "contentEncoding": "binary"}}
     }
    },
    "responses": {
     "200": {
      "description": "What was written",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Written"}}}
     },
     "400": {"$ref": "#/components/responses/Unreadable"},
     "401": {"$ref": "#/components/responses/Unauthenticated"},
     "403": {"$ref": "#/components/responses/Forbidden"},
     "404": {"$ref": "#/components/responses/NoSuchTable"},
     "409": {"$ref": "#/components/responses/Conflict"},
     "413": {"$ref": "#/components/responses/TooLarge"},
     "415": {"$ref": "#/components/responses/UnknownFormat"},
     "422": {"$ref": "#/components/responses/WrongValues"},
     "429": {"$ref": "#/components/responses/TooMany"},
     "500": {"$ref": "#/components/responses/Internal"},
     "501": {"$ref": "#/components/responses/NoKeys"},
     "503": {"$ref": "#/components/responses/Unavailable"},
     "504": {"$ref": "#/components/responses/TimedOut"}
    }
   }
  },
  "/v1/tables/{table}/changes": {
   "get": {
    "operationId": "readChanges",
    "summary": "Reads what has changed in a table",
    "description": "As NDJSON one page, from `since` on; with `wait` the answer comes when there is a change. As server-sent events a stream without an end: an event `change` has a line of NDJSON as its data and its cursor as its id, an event `error` a problem, after which the stream ends.",
    "parameters": [
     {"name": "table", "in": "path", "required": true, "description": "schema.table", "schema": {"type": "string"}},
     {
      "name": "since",
      "in": "query",
      "description": "a cursor, or the number of a snapshot; without one, the consumer's position, or now",
      "schema": {"type": "string", "pattern": "^[0-9]{1,18}(\\.[0-9]{1,18})?$"}
     },
     {
      "name": "limit",
      "in": "query",
      "description": "lines of a page",
      "schema": {"type": "integer", "minimum": 1, "maximum": 1000000, "default": 10000}
     },
     {
      "name": "wait",
      "in": "query",
      "description": "seconds to wait for a change",
      "schema": {"type": "integer", "minimum": 0, "maximum": 60, "default": 0}
     },
     {
      "name": "consumer",
      "in": "query",
      "description": "a name, whose position the box keeps; `since` acknowledges what was before",
      "schema": {"type": "string", "minLength": 1, "maxLength": 63}
     },
     {
      "name": "Last-Event-ID",
      "in": "header",
      "description": "the cursor of the event that was read last; counts before `since`",
      "schema": {"type": "string"}
     }
    ],
    "responses": {
     "200": {
      "description": "The changes.",
      "headers": {"Boathouse-Cursor": {"description": "where to read on; of NDJSON", "schema": {"type": "string"}}},
      "content": {
       "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/Change"}},
       "text/event-stream": {"schema": {"type": "string"}}
      }
     },
     "400": {"$ref": "#/components/responses/UnreadableParameter"},
     "401": {"$ref": "#/components/responses/Unauthenticated"},
     "403": {"$ref": "#/components/responses/Forbidden"},
     "404": {"$ref": "#/components/responses/TableGone"},
     "406": {"$ref": "#/components/responses/NotAcceptable"},
     "409": {"$ref": "#/components/responses/OtherTable"},
     "410": {"$ref": "#/components/responses/ChangesGone"},
     "422": {"$ref": "#/components/responses/Future"},
     "429": {"$ref": "#/components/responses/TooMany"},
     "500": {"$ref": "#/components/responses/Internal"},
     "501": {"$ref": "#/components/responses/NoConsumers"},
     "503": {"$ref": "#/components/responses/Unavailable"},
     "504": {"$ref": "#/components/responses/TimedOut"}
    }
   }
  },
  "/v1/consumers": {
   "get": {
    "operationId": "listConsumers",
    "summary": "The user's consumers, and how far each has come",
    "responses": {
     "200": {
      "description": "By name.",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "required": ["consumers"],
         "properties": {"consumers": {"type": "array", "items": {"$ref": "#/components/schemas/Consumer"}}}
        }
       }
      }
     },
     "401": {"$ref": "#/components/responses/Unauthenticated"},
     "403": {"$ref": "#/components/responses/Forbidden"},
     "429": {"$ref": "#/components/responses/TooMany"},
     "500": {"$ref": "#/components/responses/Internal"},
     "501": {"$ref": "#/components/responses/NoConsumers"},
     "503": {"$ref": "#/components/responses/Unavailable"}
    }
   }
  },
  "/v1/consumers/{consumer}": {
   "post": {
    "operationId": "acknowledge",
    "summary": "Says that everything up to a cursor is dealt with",
    "parameters": [{"name": "consumer", "in": "path", "required": true, "schema": {"type": "string"}}],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "required": ["position"],
        "properties": {"position": {"type": "string", "description": "a cursor"}},
        "additionalProperties": false
       },
       "example": {"position": "0"}
      }
     }
    },
    "responses": {
     "200": {
      "description": "The consumer as it is now.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Consumer"}}}
     },
     "400": {"$ref": "#/components/responses/NoPosition"},
     "401": {"$ref": "#/components/responses/Unauthenticated"},
     "403": {"$ref": "#/components/responses/Forbidden"},
     "404": {"$ref": "#/components/responses/NoSuchConsumer"},
     "413": {"$ref": "#/components/responses/TooLarge"},
     "422": {"$ref": "#/components/responses/Future"},
     "429": {"$ref": "#/components/responses/TooMany"},
     "500": {"$ref": "#/components/responses/Internal"},
     "501": {"$ref": "#/components/responses/NoConsumers"},
     "503": {"$ref": "#/components/responses/Unavailable"}
    }
   },
   "delete": {
    "operationId": "dropConsumer",
    "summary": "Forgets a consumer",
    "parameters": [{"name": "consumer", "in": "path", "required": true, "schema": {"type": "string"}}],
    "responses": {
     "200": {
      "description": "It is forgotten.",
      "content": {
       "application/json": {
        "schema": {"type": "object", "required": ["dropped"], "properties": {"dropped": {"type": "string"}}}
       }
      }
     },
     "401": {"$ref": "#/components/responses/Unauthenticated"},
     "403": {"$ref": "#/components/responses/Forbidden"},
     "404": {"$ref": "#/components/responses/NoSuchConsumer"},
     "429": {"$ref": "#/components/responses/TooMany"},
     "500": {"$ref": "#/components/responses/Internal"},
     "501": {"$ref": "#/components/responses/NoConsumers"},
     "503": {"$ref": "#/components/responses/Unavailable"}
    }
   }
  }
 },
 "components": {
  "securitySchemes": {
   "basic": {"type": "http", "scheme": "basic"},
   "token": {"type": "http", "scheme": "bearer", "description": "of `boathouse token create`"}
  },
  "responses": {
   "NotAcceptable": {
    "description": "No answer is made in the form that Accept asks for.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Unreadable": {
    "description": "The request, its body or the statement cannot be read.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Unauthenticated": {
    "description": "No user and password and no token, or wrong ones.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Forbidden": {
    "description": "The user may not do this, or the password came over an unencrypted connection.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "NoSuchTable": {
    "description": "A table or schema does not exist.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Conflict": {
    "description": "What the request makes is there already, or other clients were ahead each time: try again.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "TooLarge": {
    "description": "The body is too large.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "UnknownFormat": {
    "description": "The Content-Type or Content-Encoding is not known here.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "WrongValues": {
    "description": "Values are wrong: of the wrong type, NULL where none may be, of unknown columns.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "TooMany": {
    "description": "Too many requests, or no room for more: try again after Retry-After.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Internal": {
    "description": "Internal error.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Unavailable": {
    "description": "The catalog or the store does not answer: try again after Retry-After.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "TimedOut": {
    "description": "The role's statement_timeout has passed.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "NoKeys": {
    "description": "This box keeps no Idempotency-Keys.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "UnreadableParameter": {
    "description": "A parameter cannot be read.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "TableGone": {
    "description": "There is no such table, or it was dropped.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "OtherTable": {
    "description": "The consumer reads another table.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "ChangesGone": {
    "description": "Changes since then are gone; `oldest` is the earliest `since`.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "Future": {
    "description": "The position lies in the future.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "NoConsumers": {
    "description": "This box keeps no consumers.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "NoPosition": {
    "description": "The body has no position.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   },
   "NoSuchConsumer": {
    "description": "There is no such consumer.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
   }
  },
  "schemas": {
   "Problem": {
    "type": "object",
    "required": ["title", "status"],
    "properties": {
     "title": {"type": "string"},
     "status": {"type": "integer"},
     "code": {"type": "string", "description": "PostgreSQL's SQLSTATE", "pattern": "^[0-9A-Z]{5}$"},
     "detail": {"type": "string"},
     "where": {"type": "string"},
     "hint": {"type": "string", "description": "what to do"},
     "position": {"type": "integer", "description": "of the byte in the statement, from 1"},
     "faulty": {"type": "integer", "description": "rows that cannot be written"},
     "faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}, "maxItems": 100},
     "oldest": {"type": "string", "description": "the earliest `since` from which changes can be read"}
    }
   },
   "Fault": {
    "type": "object",
    "required": ["row", "code", "message"],
    "properties": {
     "row": {
      "type": "integer",
      "description": "its line in NDJSON and CSV, its number in an array or a file, from 1"
     },
     "column": {"type": "string"},
     "code": {"type": "string"},
     "message": {"type": "string"},
     "hint": {"type": "string"}
    }
   },
   "Statement": {
    "type": "object",
    "required": ["sql"],
    "properties": {"sql": {"type": "string"}},
    "additionalProperties": false
   },
   "Command": {
    "type": "object",
    "required": ["command"],
    "properties": {"command": {"type": "string", "examples": ["INSERT 0 1", "CREATE TABLE"]}}
   },
   "Written": {
    "type": "object",
    "required": ["rows"],
    "properties": {
     "rows": {"type": "integer", "description": "that were written"},
     "snapshot": {"type": "integer", "description": "of the lake, that has them; absent where no row was written"},
     "skipped": {"type": "integer"},
     "faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}, "maxItems": 100}
    }
   },
   "Change": {
    "type": "object",
    "required": ["cursor", "snapshot", "row", "change", "data"],
    "properties": {
     "cursor": {"type": "string", "description": "reading on from here gives what comes after this line"},
     "snapshot": {"type": "integer", "description": "that made the change"},
     "row": {"type": "integer", "description": "the row's number, which it keeps"},
     "change": {"type": "string", "enum": ["insert", "delete", "update_preimage", "update_postimage"]},
     "data": {"type": "object", "description": "the row, by column", "additionalProperties": true}
    }
   },
   "Consumer": {
    "type": "object",
    "required": ["name", "table", "position", "lag", "acknowledged_at"],
    "properties": {
     "name": {"type": "string"},
     "table": {"type": "string", "description": "as it was called when the consumer was made"},
     "position": {"type": "string", "description": "a cursor"},
     "lag": {"type": "integer", "description": "snapshots that it has yet to read"},
     "acknowledged_at": {"type": "string", "description": "UTC"}
    }
   }
  }
 }
})json";
// clang-format on

}  // namespace boathouse::http
