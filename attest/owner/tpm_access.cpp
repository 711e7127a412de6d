// SPDX-License-Identifier: Apache-2.0
// See tpm_access.hpp.
#include "attest/owner/tpm_access.hpp"

#include "dlaunch/model/software_tpm.hpp"

#include <filesystem>
#include <sstream>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

namespace casemate::owner {
namespace {

constexpr std::int32_t longest_answer = 120'000; // milliseconds: some TPMs take that long for an RSA key
constexpr std::size_t max_response = 4096;
constexpr measure::TPM_RC nv_defined = 0x14C; // [TPM2-P2 T16]

class Tss final : public TpmAccess {
public:
    explicit Tss(TSS2_TCTI_CONTEXT* tcti) : tcti_{tcti} {}
    Tss(const Tss&) = delete;
    Tss& operator=(const Tss&) = delete;
    ~Tss() override { Tss2_TctiLdr_Finalize(&tcti_); }

    secret::Bytes exchange(ByteView command) override {
        secret::Bytes response(max_response);
        std::size_t size = response.size();
        const bool done = Tss2_Tcti_Transmit(tcti_, command.size(), command.data()) == TSS2_RC_SUCCESS &&
                          Tss2_Tcti_Receive(tcti_, &size, response.data(), longest_answer) == TSS2_RC_SUCCESS;
        response.resize(done ? size : 0);
        return response;
    }

private:
    TSS2_TCTI_CONTEXT* tcti_;
};

class Emulated final : public TpmAccess {
public:
    explicit Emulated(std::unique_ptr<model::SoftwareTpm> tpm) : tpm_{std::move(tpm)} {}

    secret::Bytes exchange(ByteView command) override {
        auto response = tpm_->exchange(command, 0);
        return response.ok() ? std::move(response).value() : secret::Bytes{};
    }

private:
    std::unique_ptr<model::SoftwareTpm> tpm_;
};

} // namespace

Failure<Error> TpmAccess::refusal(const std::string& does_not, const measure::TpmFault& fault) const {
    std::ostringstream text;
    text << "the TPM " << does_not;
    if (secret::is_password_refusal(fault))
        text << (password_.empty() ? ": its owner hierarchy has a password, and --owner-password-file names none" : ": the password of --owner-password-file is not its owner hierarchy's");
    else if (fault.kind == measure::TpmFaultKind::refused && fault.code == nv_defined)
        text << ": something else is at that index";
    else if (fault.kind == measure::TpmFaultKind::refused)
        text << " (response code 0x" << std::hex << fault.code << ")";
    return fail(text.str());
}

Outcome<std::unique_ptr<TpmAccess>> open_tpm(const std::string& where) {
    if (std::filesystem::is_directory(where)) {
        auto tpm = model::SoftwareTpm::start(where);
        if (!tpm.ok()) return fail("the TPM in " + where + " does not start (is its platform running?): " + tpm.error().text);
        return std::unique_ptr<TpmAccess>{std::make_unique<Emulated>(std::move(tpm).value())};
    }
    TSS2_TCTI_CONTEXT* tcti = nullptr;
    const TSS2_RC code = Tss2_TctiLdr_Initialize(where.c_str(), &tcti);
    if (code != TSS2_RC_SUCCESS) return fail("no TPM at " + where + ": " + Tss2_RC_Decode(code));
    return std::unique_ptr<TpmAccess>{std::make_unique<Tss>(tcti)};
}

} // namespace casemate::owner
