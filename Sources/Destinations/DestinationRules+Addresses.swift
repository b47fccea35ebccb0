package import Configuration

extension DestinationRules {
    /// The rules of this target: which ranges and URLs a destination may name.
    package static var ofAddresses: DestinationRules {
        DestinationRules(
            rangeComplaint: { text in
                do throws(AddressError) {
                    _ = try AddressPolicy(allowPrivate: [text])
                    return nil
                } catch {
                    return error.description
                }
            },
            urlComplaint: { text, ranges in
                do throws(AddressError) {
                    _ = try DestinationURL(text, policy: try AddressPolicy(allowPrivate: ranges))
                    return nil
                } catch {
                    return error.description
                }
            }
        )
    }
}
