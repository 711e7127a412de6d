// SPDX-License-Identifier: Apache-2.0
// See http_server.hpp.
#include "attest/verifier/http_server.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "attest/verifier/http_session.hpp"
#include "attest/verifier/http_tls.hpp"

namespace casemate::verifier {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

std::string address_of(const SessionSocket& socket) {
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? "unknown" : endpoint.address().to_string();
}

/// Some places are always left for other addresses.
std::size_t peer_limit(const HttpOptions& options) {
    if (options.max_peer_connections != 0) return options.max_peer_connections;
    return options.max_connections - std::min<std::size_t>(16, options.max_connections / 8);
}

} // namespace

class HttpServer::Implementation {
public:
    Implementation(const HttpOptions& options, Handler handler);
    ~Implementation() { stop(); }
    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void reload_tls() { tls_ = make_tls(options_); }
    [[nodiscard]] ConnectionCounts connections() const { return {share_.connections, share_.accepted, share_.refused}; }
    void stop();

private:
    void listen();
    void accept();
    void on_accept(boost::system::error_code error, SessionSocket socket);

    const HttpOptions options_;
    const Handler handler_;
    SessionShare share_{options_, handler_, {}, {}, {}, {}, {}, {}};
    asio::io_context io_;
    std::atomic<std::shared_ptr<asio::ssl::context>> tls_; // each connection keeps the one that it began with
    tcp::acceptor acceptor_{asio::make_strand(io_)};
    asio::steady_timer pause_{acceptor_.get_executor()};
    std::uint16_t port_ = 0;
    std::vector<std::thread> threads_;
};

HttpServer::Implementation::Implementation(const HttpOptions& options, Handler handler)
    : options_{options}, handler_{std::move(handler)} {
    reload_tls();
    listen();
    accept();
    for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) threads_.emplace_back([this] { io_.run(); });
}

void HttpServer::Implementation::listen() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) throw HttpStartError("\"" + options_.address + "\" is not an IP address");
    const tcp::endpoint endpoint{address, options_.port};
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        throw HttpStartError("cannot listen on " + options_.address + " port " + std::to_string(options_.port) + ": " +
                             error.message());
    port_ = acceptor_.local_endpoint().port();
}

void HttpServer::Implementation::accept() {
    acceptor_.async_accept(asio::make_strand(io_), [this](boost::system::error_code error, SessionSocket socket) {
        on_accept(error, std::move(socket));
    });
}

void HttpServer::Implementation::on_accept(boost::system::error_code error, SessionSocket socket) {
    if (share_.stopping || error == asio::error::operation_aborted) return;
    if (error) { // out of descriptors, most likely: let some close
        pause_.expires_after(std::chrono::milliseconds{100});
        return pause_.async_wait([this](boost::system::error_code) { accept(); });
    }
    // Above a limit the socket is closed at once, without a handshake.
    const std::string address = address_of(socket);
    if (share_.connections < options_.max_connections && share_.peers.enter(address, peer_limit(options_))) {
        ++share_.accepted;
        std::make_shared<HttpSession>(std::move(socket), tls_.load(), share_, address)->start();
    } else {
        ++share_.refused;
    }
    accept();
}

void HttpServer::Implementation::stop() {
    if (share_.stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    });
    const auto deadline = std::chrono::steady_clock::now() + options_.stop_time;
    while (share_.answering > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
}

HttpServer::HttpServer(const HttpOptions& options, Handler handler)
    : implementation_{std::make_unique<Implementation>(options, std::move(handler))} {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const { return implementation_->port(); }
ConnectionCounts HttpServer::connections() const { return implementation_->connections(); }
void HttpServer::reload_tls() { implementation_->reload_tls(); }
void HttpServer::stop() { implementation_->stop(); }

} // namespace casemate::verifier
