/// Why definitions, expressions, labels or an evaluation were refused.
///
/// `text` says action, object, what was expected and what was found. A place in a features file is 1-based.
package struct FeatureError: Error, Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    /// A features file or an expression cannot be read or contradicts itself.
    case definition
    /// A definition does not fit the columns it reads.
    case type
    /// An expression failed on a row: overflow, a bad cast.
    case evaluation
    /// A label frame does not fit the service.
    case labels
    /// A name that nothing has.
    case notFound
  }

  package var kind: Kind
  package var file: String?
  package var line: Int?
  package var column: Int?
  /// The row that failed, counted from 0: within the batch, until somebody who knows more adds what comes before (`row += …`).
  package var row: Int?
  /// With `rowMark` where it names the row.
  private var template: String
  /// Names the row as it is now, counted from 1.
  package var text: String {
    get { row.map { template.replacing(Self.rowMark, with: "\($0 + 1)") } ?? template }
    set { template = newValue }
  }

  /// Stands in a text for the number of the row, which changes as the error travels from a batch to a whole frame. For private use, in no text.
  package static let rowMark = "\u{F0000}"

  package init(
    _ kind: Kind, _ text: String, file: String? = nil, line: Int? = nil, column: Int? = nil, row: Int? = nil
  ) {
    self.kind = kind
    template = text
    self.file = file
    self.line = line
    self.column = column
    self.row = row
  }

  /// The same error with something before its text.
  func within(_ context: String) -> FeatureError {
    var copy = self
    copy.template = context + template
    return copy
  }

  /// The same error of a row that has this number of rows before those it was counted among.
  package func after(rowCount: Int) -> FeatureError {
    var copy = self
    copy.row = row.map { $0 + rowCount }
    return copy
  }

  /// The same error, which calls its row a label row.
  func ofLabels() -> FeatureError {
    var copy = self
    copy.template = template.replacing(" in row \(Self.rowMark)", with: " in label row \(Self.rowMark)")
    return copy
  }

  /// The same error at a place in a features file, unless it already has one.
  func located(_ place: DefinitionPlace?) -> FeatureError {
    guard let place, file == nil else { return self }
    var copy = self
    copy.file = place.file
    copy.line = place.line
    copy.column = place.column
    return copy
  }
}

extension FeatureError: CustomStringConvertible {
  /// `features/user.yaml:12:5: text`, as compilers write places.
  package var description: String {
    guard let file else { return text }
    guard let line else { return "\(file): \(text)" }
    guard let column else { return "\(file):\(line): \(text)" }
    return "\(file):\(line):\(column): \(text)"
  }
}

/// Where something stands in a features file; line and column count from 1.
package struct DefinitionPlace: Hashable, Sendable {
  package let file: String
  package let line: Int
  package let column: Int
}
