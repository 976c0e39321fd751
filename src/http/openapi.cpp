#include "http/openapi.hpp"

namespace boathouse::http {

// clang-format off
const std::string_view kOpenApi = R"json({
 "openapi": "3.1.0",
 "info": {
  "title": "Boathouse",
  "version": "1",
  "description": "SQL and ingest over HTTP. Users, passwords and privileges are those of the SQL door."
 },
 "security": [
  {
   "basic": []
  }
 ],
 "paths": {
  "/v1/openapi.json": {
   "get": {
    "operationId": "describe",
    "summary": "This description",
    "security": [],
    "responses": {
     "200": {
      "description": "OpenAPI 3.1",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "additionalProperties": true
        }
       }
      }
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
      "schema": {
       "type": "string",
       "enum": [
        "gzip",
        "zstd",
        "identity"
       ]
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/sql": {
       "schema": {
        "type": "string"
       },
       "example": "SELECT 42 AS answer"
      },
      "application/json": {
       "schema": {
        "$ref": "#/components/schemas/Statement"
       },
       "example": {
        "sql": "SELECT 42 AS answer"
       }
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
          {
           "type": "array",
           "items": {
            "type": "object",
            "additionalProperties": true
           }
          },
          {
           "$ref": "#/components/schemas/Command"
          }
         ]
        }
       },
       "application/x-ndjson": {
        "schema": {
         "type": "string"
        }
       },
       "text/csv": {
        "schema": {
         "type": "string"
        }
       },
       "application/vnd.apache.parquet": {
        "schema": {
         "type": "string",
         "contentEncoding": "binary"
        }
       }
      }
     },
     "406": {
      "description": "No answer is made in the form that Accept asks for.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "400": {
      "description": "The request, its body or the statement cannot be read.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "401": {
      "description": "No user and password, or wrong ones.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "403": {
      "description": "The user may not do this, or the password came over an unencrypted connection.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "404": {
      "description": "A table or schema does not exist.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "409": {
      "description": "What the request makes is there already, or other clients were ahead each time: try again.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "413": {
      "description": "The body is too large.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "415": {
      "description": "The Content-Type or Content-Encoding is not known here.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "422": {
      "description": "Values are wrong: of the wrong type, NULL where none may be, of unknown columns.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "429": {
      "description": "Too many requests, or no room for more: try again after Retry-After.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "500": {
      "description": "Internal error.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "503": {
      "description": "The catalog or the store does not answer: try again after Retry-After.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "504": {
      "description": "The role's statement_timeout has passed.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     }
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
      "schema": {
       "type": "string"
      },
      "example": "public.events",
      "description": "schema.table; without a schema: public"
     },
     {
      "name": "create",
      "in": "query",
      "schema": {
       "type": "boolean",
       "default": false
      },
      "description": "create a table that does not exist, with the types that the rows have"
     },
     {
      "name": "add_columns",
      "in": "query",
      "schema": {
       "type": "boolean",
       "default": false
      },
      "description": "add the columns that the table does not have"
     },
     {
      "name": "on_error",
      "in": "query",
      "schema": {
       "type": "string",
       "enum": [
        "fail",
        "skip"
       ],
       "default": "fail"
      },
      "description": "skip: write the good rows, and report the others"
     },
     {
      "name": "Idempotency-Key",
      "in": "header",
      "required": false,
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 255
      },
      "description": "a key of the client's own for this request: sent again within a day with the same body, it gets the first answer, and nothing is written"
     },
     {
      "name": "Content-Encoding",
      "in": "header",
      "required": false,
      "schema": {
       "type": "string",
       "enum": [
        "gzip",
        "zstd",
        "identity"
       ]
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/x-ndjson": {
       "schema": {
        "type": "string"
       },
       "example": "{\"id\": 1}\n{\"id\": 2}\n"
      },
      "application/json": {
       "schema": {
        "type": "array",
        "items": {
         "type": "object",
         "additionalProperties": true
        }
       },
       "example": [
        {
         "id": 3
        }
       ]
      },
      "text/csv": {
       "schema": {
        "type": "string"
       },
       "example": "id\n4\n"
      },
      "application/vnd.apache.parquet": {
       "schema": {
        "type": "string",
        "contentEncoding": "binary"
       }
      }
     }
    },
    "responses": {
     "501": {
      "description": "This box keeps no Idempotency-Keys.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "200": {
      "description": "What was written",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Written"
        }
       }
      }
     },
     "400": {
      "description": "The request, its body or the statement cannot be read.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "401": {
      "description": "No user and password, or wrong ones.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "403": {
      "description": "The user may not do this, or the password came over an unencrypted connection.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "404": {
      "description": "A table or schema does not exist.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "409": {
      "description": "What the request makes is there already, or other clients were ahead each time: try again.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "413": {
      "description": "The body is too large.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "415": {
      "description": "The Content-Type or Content-Encoding is not known here.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "422": {
      "description": "Values are wrong: of the wrong type, NULL where none may be, of unknown columns.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "429": {
      "description": "Too many requests, or no room for more: try again after Retry-After.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "500": {
      "description": "Internal error.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "503": {
      "description": "The catalog or the store does not answer: try again after Retry-After.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     },
     "504": {
      "description": "The role's statement_timeout has passed.",
      "content": {
       "application/problem+json": {
        "schema": {
         "$ref": "#/components/schemas/Problem"
        }
       }
      }
     }
    }
   }
  }
 },
 "components": {
  "securitySchemes": {
   "basic": {
    "type": "http",
    "scheme": "basic"
   }
  },
  "schemas": {
   "Problem": {
    "type": "object",
    "required": [
     "title",
     "status"
    ],
    "properties": {
     "title": {
      "type": "string"
     },
     "status": {
      "type": "integer"
     },
     "code": {
      "type": "string",
      "description": "PostgreSQL's SQLSTATE",
      "pattern": "^[0-9A-Z]{5}$"
     },
     "detail": {
      "type": "string"
     },
     "where": {
      "type": "string"
     },
     "hint": {
      "type": "string",
      "description": "what to do"
     },
     "position": {
      "type": "integer",
      "description": "of the byte in the statement, from 1"
     },
     "faulty": {
      "type": "integer",
      "description": "rows that cannot be written"
     },
     "faults": {
      "type": "array",
      "items": {
       "$ref": "#/components/schemas/Fault"
      },
      "maxItems": 100
     }
    }
   },
   "Fault": {
    "type": "object",
    "required": [
     "row",
     "code",
     "message"
    ],
    "properties": {
     "row": {
      "type": "integer",
      "description": "its line in NDJSON and CSV, its number in an array or a file, from 1"
     },
     "column": {
      "type": "string"
     },
     "code": {
      "type": "string"
     },
     "message": {
      "type": "string"
     },
     "hint": {
      "type": "string"
     }
    }
   },
   "Statement": {
    "type": "object",
    "required": [
     "sql"
    ],
    "properties": {
     "sql": {
      "type": "string"
     }
    },
    "additionalProperties": false
   },
   "Command": {
    "type": "object",
    "required": [
     "command"
    ],
    "properties": {
     "command": {
      "type": "string",
      "examples": [
       "INSERT 0 1",
       "CREATE TABLE"
      ]
     }
    }
   },
   "Written": {
    "type": "object",
    "required": [
     "rows"
    ],
    "properties": {
     "rows": {
      "type": "integer",
      "description": "that were written"
     },
     "snapshot": {
      "type": "integer",
      "description": "of the lake, that has them; absent where no row was written"
     },
     "skipped": {
      "type": "integer"
     },
     "faults": {
      "type": "array",
      "items": {
       "$ref": "#/components/schemas/Fault"
      },
      "maxItems": 100
     }
    }
   }
  }
 }
}
)json";
// clang-format on

}  // namespace boathouse::http
