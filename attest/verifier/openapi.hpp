// SPDX-License-Identifier: Apache-2.0
// The API's OpenAPI 3.1 description, as text: docs/interfaces/openapi.json. tests/unit/openapi_test.cpp compares it with
// the table of routes and with the service's answers.
#pragma once

namespace casemate::verifier {

extern const char* const openapi_document;

} // namespace casemate::verifier
