// SPDX-License-Identifier: Apache-2.0
// Any bytes as the hypervisor's answer to each operation of the control device, and any text as a verifier's answer.
#include "attest/agent/control_messages.hpp"
#include "attest/agent/json_fields.hpp"
#include "attest/agent/report.hpp"

using namespace casemate;
using namespace casemate::agent;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    const auto info = parse_info(bytes);
    (void)parse_gates(bytes).ok();
    (void)parse_leases(bytes).ok();
    (void)parse_submission(bytes).ok();
    if (const auto status = parse_status(bytes); status.ok())
        (void)report_of(Info{}, status.value()).dump(-1, ' ', true, Json::error_handler_t::replace);
    const Json answer = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
    for (const char* name : {"nonce", "grants", "token"}) {
        (void)text_field(answer, name).ok();
        (void)base64_field(answer, name).ok();
        (void)base64_list_field(answer, name).ok();
    }
    (void)body_of({500, answer}).ok();
    return 0;
}
