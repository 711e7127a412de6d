// SPDX-License-Identifier: Apache-2.0
// See network_transport.hpp.
#include "attest/agent/network_transport.hpp"

namespace casemate::agent {

Outcome<Response> NetworkTransport::exchange(const Request& request) {
    const std::string answer = exchange_.answer(text_of(request, ++last_id_));
    auto response = parse_response({reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()}, last_id_);
    if (!response) return fail("the verifier's answer is none");
    return std::move(*response);
}

std::string NetworkTransport::report_path(const std::string& platform_id) const { return "/v1/platforms/" + platform_id + "/status"; }
std::string NetworkTransport::secrets_path(const std::string& platform_id) const { return "/v1/platforms/" + platform_id + "/secrets"; }

} // namespace casemate::agent
