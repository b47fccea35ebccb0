/// Why a destination's address is refused; every text ends in the remedy.
package enum AddressError: Error, Equatable, CustomStringConvertible {
    /// An element of `allow_private` is no range of addresses.
    case badRange(String, remedy: String)
    /// The `url` cannot be used as it is written. The URL itself is left out: it may hold a secret.
    case badURL(reason: String, remedy: String)
    /// The address is private or reserved and not in `allow_private`.
    case blocked(address: String, target: String, remedy: String)
    /// Plain http towards an address outside `allow_private`.
    case plainHTTP(address: String, target: String, remedy: String)

    package var description: String {
        switch self {
        case .badRange(let text, let remedy):
            "allow_private: \(text) is no range of addresses; \(remedy)"
        case .badURL(let reason, let remedy):
            "url: \(reason); \(remedy)"
        case .blocked(let address, let target, let remedy):
            "\(target): \(address) is a private or reserved address and is not dialled; if it is "
                + "meant, \(remedy)"
        case .plainHTTP(let address, let target, let remedy):
            "\(target): http sends user ids in the clear and is used only where every address is in "
                + "allow_private, but \(address) is not; use https, or, inside a network of your "
                + "own, \(remedy)"
        }
    }
}
