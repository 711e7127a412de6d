// SPDX-License-Identifier: Apache-2.0
// Members of a JSON object that came from outside, with a sentence for each way to be wrong.
// Who calls it: protocol.cpp. The relay and the line are UNTRUSTED; the size is bounded by the frame.
#pragma once

#include "attest/agent/transport.hpp"

namespace casemate::agent {

[[nodiscard]] Outcome<std::string> text_field(const Json& object, const char* name);
[[nodiscard]] Outcome<Bytes> base64_field(const Json& object, const char* name);
/// Absent means empty.
[[nodiscard]] Outcome<std::vector<Bytes>> base64_list_field(const Json& object, const char* name);
[[nodiscard]] std::uint64_t number_field_or(const Json& object, const char* name, std::uint64_t otherwise);
/// The body of a 2xx response; otherwise what the verifier or the relay said is wrong.
[[nodiscard]] Outcome<Json> body_of(Response response);

} // namespace casemate::agent
