// SPDX-License-Identifier: Apache-2.0
// What a release takes from outside: the messages as the agent hands them over, and a TPM's responses as a bus may change them.
#include "attest/secret/release.hpp"
#include "tests/unit/hex.hpp"

#include <algorithm>
#include <cstdlib>

using namespace casemate;
using namespace casemate::secret;

namespace {

const auto point = test::from_hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" // the generator of P-256
                                  "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");

/// Each response: a size of one byte times four, then so many bytes of the input.
class Bus final : public ReleaseHost {
public:
    explicit Bus(ByteView input) : left_{input} {}
    Result<ByteSpan, measure::TpmFault> transmit(ByteView command, ByteSpan response) override {
        if (command.empty() || ++commands_ > 24) std::abort();
        if (left_.empty()) return Failure{measure::TpmFault{}};
        const std::size_t size = std::min({left_[0] * std::size_t{4}, left_.size() - 1, response.size()});
        std::copy_n(left_.begin() + 1, size, response.begin());
        left_ = left_.subspan(1 + size);
        return response.first(size);
    }
    bool random(ByteSpan out) override {
        std::fill(out.begin(), out.end(), std::uint8_t{7});
        return true;
    }

private:
    ByteView left_;
    unsigned commands_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto owner = measure::P256PublicKey::create(point).value();
    static const std::vector<std::uint8_t> modulus(measure::rsa2048_size, 0xC1), part(200, 1);
    static const measure::Banks banks = [] {
        measure::Banks two;
        (void)two.add(measure::TPM_ALG_ID::SHA256), (void)two.add(measure::TPM_ALG_ID::SHA384);
        return two;
    }();
    (void)open_secret({data, size}, owner).ok();
    (void)read_approval({data, size}).ok();
    const SealedSecret sealed{"name", "vm", 0x81010001, modulus, ByteView{part}.first(90), part, modulus};
    const Approval approval{.vm = "vm", .nv_index = 0x01800001, .last_epoch = 1, .approved_policy = {}, .signature = {}};
    Bus bus{{data, size}};
    Plaintext out;
    if (release(bus, sealed, approval, point, {}, banks, out).ok()) std::abort(); // nobody knows the session's key
    if (!out.view().empty()) std::abort();
    return 0;
}
