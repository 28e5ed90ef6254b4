import Arrow
import Checks
import Columns
import Features
import History
import JSON
import Objects
import Online
import Parquet
import Tables
import TextFormats

/// Why a request could not be carried out, in words for its user.
public struct AlmanacError: Error, CustomStringConvertible, Sendable {
  /// What kind of failure it is; the raw value is the command line's exit code.
  public enum Kind: Int32, Sendable {
    /// A check failed, data does not fit, or there is a conflict.
    case failed = 1
    case usage = 2
    /// A name, file or repository is not there.
    case notFound = 3
    /// Bytes cannot be read or written, or are damaged.
    case io = 4
  }

  public let kind: Kind
  public let description: String
  /// What to do about it, when there is something to say.
  public let hint: String?

  public init(_ kind: Kind, _ description: String, hint: String? = nil) {
    self.kind = kind
    self.description = description
    self.hint = hint
  }

  /// Says in the façade's terms what a room below has thrown.
  package init(_ error: any Error) {
    switch error {
    case let error as AlmanacError: self = error
    case let error as StoreError: self.init(Self.kind(of: error), error.description)
    case let error as TableError: self.init(error.kind == .corrupt ? .io : .failed, error.description)
    case let error as CheckError: self.init(.failed, error.description)
    case let error as CastError: self.init(.failed, error.description)
    case let error as FeatureError: self.init(error.kind == .notFound ? .notFound : .failed, error.description)
    case let error as TextError: self.init(error)
    case let error as ParquetError: self.init(.io, error.description)
    case let error as ArrowError: self.init(.io, error.description)
    case let error as OnlineError: self.init(.io, error.description)
    case let error as JSONError: self.init(.io, error.description)
    default: self.init(.io, "\(error)")
    }
  }

  /// A file that can be read in several ways is, as it stands, as unreadable as one that can be read in none.
  private init(_ error: TextError) {
    switch error.kind {
    case .malformed: self.init(.io, error.description)
    case .badCell: self.init(.failed, error.description)
    case .ambiguous:
      self.init(
        .io, error.description,
        hint: "Say which: `almanac convert IN OUT --delimiter ';'`, or name the file .tsv or .psv if it has tabs or bars.")
    }
  }

  private static func kind(of error: StoreError) -> Kind {
    switch error.kind {
    case .notFound, .notARepository: .notFound
    case .exists, .refused: .failed
    case .invalid: .usage
    default: .io
    }
  }

  /// Runs `body` and translates what it throws; `context` stands before the message, for example a file's name.
  static func translating<Result>(_ context: String? = nil, _ body: () throws -> Result) throws(AlmanacError) -> Result {
    do {
      return try body()
    } catch {
      let translated = AlmanacError(error)
      guard let context, !translated.description.contains(context) else { throw translated }
      throw AlmanacError(translated.kind, "\(context): \(translated.description)", hint: translated.hint)
    }
  }
}
