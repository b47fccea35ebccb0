import Basics

/// One of the three files of a run, as CSV, made piece by piece so that no file is held whole.
///
/// RFC 4180 with LF: a header of `user_id` and the names of the properties, then a line per user. A text is
/// written bare, any other value as JSON, nothing where there is none or null. Source:
/// docs/destinations/file-csv.md.
package struct RunFile: Sendable {
    /// Which users a file holds; the last one written says that the run is whole.
    package enum Part: String, CaseIterable, Sendable {
        /// Who came in since the last run.
        case entering
        /// Who left since the last run.
        case exiting
        /// Who was in at the last run and is now.
        case existing
    }

    /// `<cohort>_<YYYY-MM-DDTHH-MM-SSZ>_entering.csv`.
    package let name: String

    private let columns: [String]
    /// As the names stand in JSON, between the quotes.
    private let keys: [[UInt8]]
    private let members: RunRequest.Members
    /// The next line; -1 is the header.
    private var line = -1

    /// A file of a run; `columns` are the properties of the sync.
    package init(_ part: Part, of run: RunRequest, columns: [String]) {
        let tick = run.tick.roundedDown(toMultipleOf: 1000).rfc3339
        // A colon has no place in the names of some file systems.
        let instant = String(tick.map { $0 == ":" ? "-" : $0 })
        name = "\(run.cohortID)_\(instant)_\(part.rawValue).csv"
        self.columns = columns
        keys = columns.map { column in
            var key: [UInt8] = []
            column.withByteView { JSONWriter.appendEscaped($0, to: &key) }
            return key
        }
        members =
            switch part {
            case .entering: run.entering
            case .exiting: run.exiting
            case .existing: run.existing
            }
    }

    /// The next whole lines, at least so many bytes unless the file ends; nil behind its end.
    package mutating func next(byteCount: Int) -> [UInt8]? {
        if line >= members.users.count { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount + 256)
        while line < members.users.count, bytes.count < max(byteCount, 1) {
            if line < 0 {
                appendHeader(to: &bytes)
            } else {
                members.users.withUser(at: line) { CSVCell.append($0, to: &bytes) }
                appendProperties(of: line, to: &bytes)
            }
            bytes.append(UInt8(ascii: "\n"))
            line += 1
        }
        return bytes
    }

    private func appendHeader(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "user_id".utf8)
        for column in columns {
            bytes.append(UInt8(ascii: ","))
            column.withByteView { CSVCell.append($0, to: &bytes) }
        }
    }

    private func appendProperties(of user: Int, to bytes: inout [UInt8]) {
        guard !members.properties.isEmpty else {
            bytes.append(contentsOf: repeatElement(UInt8(ascii: ","), count: columns.count))
            return
        }
        members.properties.withUser(at: user) { object in
            var values = [ByteView](repeating: .empty, count: keys.count)
            var members = JSONMembers(object)
            while let (name, value) = members.next() {
                let column = keys.firstIndex { $0.withByteView { $0.equals(name) } }
                if let column { values[column] = value }
            }
            for value in values {
                bytes.append(UInt8(ascii: ","))
                Self.append(json: value, to: &bytes)
            }
        }
    }

    private static func append(json value: ByteView, to bytes: inout [UInt8]) {
        if value.count >= 2, value.base[0] == UInt8(ascii: "\"") {
            var text: [UInt8] = []
            let inner = ByteView(base: value.base + 1, count: value.count - 2)
            JSONMembers.appendUnescaped(inner, to: &text)
            text.withByteView { CSVCell.append($0, to: &bytes) }
        } else if !value.equals("null") {
            CSVCell.append(value, to: &bytes)
        }
    }
}
