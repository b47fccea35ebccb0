import Basics

/// What a program fills its places with.
struct BodyInput {
    /// The user, in items and in requests for one user.
    var user: UserAtHand?
    var cellCount: Int
    /// The values worked out for the request, ready to be written; nil for what is not there.
    var values: [[UInt8]?]
    var isLastPage = false
    /// The items of each list, each with a comma behind it.
    var lists: [[UInt8]] = []
    /// Whether empty things are dropped; without it the length is an upper bound.
    var omits = true
    /// Works out a value that filters change.
    var slow: (TemplateText.Expression, UserAtHand) -> TemplateValue?
}

extension BodyProgram {
    /// Writes the body or item behind what `output` holds.
    ///
    /// - Complexity: O(bytes written); allocates nothing but for filtered values of users.
    func run(_ input: borrowing BodyInput, into output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: markCount) { marks in
            pool.withUnsafeBytes { pool in
                var counter = 0
                while counter < ops.count {
                    counter = step(counter, input, UnsafeRawBufferPointer(pool), marks, &output)
                }
            }
        }
    }

    /// Does one step and names the next.
    private func step(
        _ counter: Int,
        _ input: borrowing BodyInput,
        _ pool: UnsafeRawBufferPointer,
        _ marks: UnsafeMutableBufferPointer<Int>,
        _ output: inout [UInt8]
    ) -> Int {
        switch ops[counter] {
        case .bytes(let start, let end):
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: pool[start..<end]))
        case .cell(let index):
            if let user = input.user {
                JSONWriter.appendEscaped(MappedRow.cell(index, of: user.row), to: &output)
            }
        case .row: if let user = input.user { Self.append(user.row, input.cellCount, to: &output) }
        case .value(let index):
            if let value = input.values[index] { output.append(contentsOf: value) }
        case .filtered(let expression, let isWhole):
            guard let user = input.user else { break }
            let value = input.slow(expression, user)
            Self.append(value, isWhole: isWhole, to: &output)
        case .entering:
            let isEntering = input.user?.isEntering ?? false
            output.append(contentsOf: (isEntering ? "true" : "false").utf8)
        case .list(let index):
            output.append(UInt8(ascii: "["))
            output.append(contentsOf: input.lists[index].dropLast())
            output.append(UInt8(ascii: "]"))
        case .unless(let test, let target):
            if !Self.holds(test, input) { return target }
        case .jump(let target): return target
        case .mark(let index): marks[index] = output.count
        case .omitIfEmpty(let mark, let keyByteCount):
            let start = marks[mark]
            let value = output[(start + keyByteCount)..<(output.count - 1)]
            if input.omits, EmptyValue.matches(value) {
                output.removeLast(output.count - start)
            }
        case .close(let bracket):
            if output.last == UInt8(ascii: ",") {
                output[output.count - 1] = bracket
            } else {
                output.append(bracket)
            }
        }
        return counter + 1
    }

    private static func holds(_ test: Test, _ input: borrowing BodyInput) -> Bool {
        switch test {
        case .entering: input.user?.isEntering ?? false
        case .lastPage: input.isLastPage
        case .cell(let index):
            input.user.map { !MappedRow.cell(index, of: $0.row).isEmpty } ?? false
        case .lists(let indexes):
            !input.omits || indexes.contains { !input.lists[$0].isEmpty }
        case .value(let index): !(input.values[index] ?? []).isEmpty
        }
    }

    private static func append(_ row: ByteView, _ cellCount: Int, to output: inout [UInt8]) {
        for index in 0..<cellCount {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "\""))
            JSONWriter.appendEscaped(MappedRow.cell(index, of: row), to: &output)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Appends a value as a whole JSON value, or as a part of a JSON text.
    static func append(_ value: TemplateValue?, isWhole: Bool, to output: inout [UInt8]) {
        if isWhole {
            output.append(contentsOf: (value?.json ?? "\"\"").utf8)
        } else if let value {
            value.text.withByteView { JSONWriter.appendEscaped($0, to: &output) }
        }
    }
}
